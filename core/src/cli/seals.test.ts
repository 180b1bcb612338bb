import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Core } from '../kernel/core.ts'
import { createSecretBox } from '../kernel/secrets.ts'
import { assertKeptSecretOpens, findUnopened } from './seals.ts'

const box = (letter: string) => createSecretBox([letter.repeat(40)])

/** As much of a core as is looked at: one kind of sealed things, sealed with each of these secrets. */
function coreWith(sealedBy: string[], secret: string): Core {
  const samples = async () => sealedBy.map((letter) => ({ sealed: box(letter).seal('x', 'kind'), context: 'kind' }))
  const modules = [{ sealed: [{ name: 'keys', samples }] }]
  return { registry: { modules }, secrets: box(secret), config: { dataDir: '.data' } } as unknown as Core // see above
}

test('a kept secret that opens nothing is refused; what another secret has added beside stands in nobody’s way', async () => {
  await assert.rejects(assertKeptSecretOpens(coreWith(['a', 'a'], 'b')), /does not open the keys of this database/)
  await assertKeptSecretOpens(coreWith(['a', 'b'], 'a'))
  await assertKeptSecretOpens(coreWith([], 'a'))
  assert.deepEqual(await findUnopened(coreWith(['a', 'b'], 'a')), ['keys'], 'the doctor tells it all the same')
  assert.deepEqual(await findUnopened(coreWith(['a'], 'a')), [])
})
