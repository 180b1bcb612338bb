import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SECONDS } from '#kernel'
import { TEST_SECRET } from '../../../testing/core.ts'
import type { TestCore } from '../../../testing/index.ts'
import type { Person } from '../../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore } from '../audit.fixture.ts'
import { hashBlock, hashRecord, packEntries } from './chain.ts'
import { checkExport } from './check-export.ts'
import { type CheckpointKey, checkpointKeys, keysFromSeeds } from './checkpoint-keys.ts'
import { readLines } from './lines.ts'
import { foundWithRecords, record, recordMany, sealAll, sealAndComplete, sealedIds } from './seal.fixture.ts'
import { appendRemoval } from './seal.ts'
import { writeSeal } from './seal-lines.ts'

const RECORDS = 2_300

let core: TestCore
let ada: Person
let ids: string[]
let lines: readonly string[]
let keys: readonly CheckpointKey[]
before(async () => {
  core = await createAuditCore()
  ada = await foundWithRecords(core, RECORDS)
  await sealAndComplete(core, ada.tenantId)
  ids = await sealedIds(core, ada.tenantId)
  lines = await exportOf(ada)
  keys = core.core.use(checkpointKeys).all
})
after(() => core.close())

const send = ({ token }: Person, query: string) =>
  core.request('GET', `/api/v1/audit/export?format=ndjson&proof=true${query}`, { token })
const exportOf = async (person: Person, query = '') => {
  const { status, text } = await send(person, query)
  assert.equal(status, 200, text)
  return text === '' ? [] : text.trimEnd().split('\n')
}
/** As a file would come, in pieces that end anywhere. */
async function* bytesOf(lines: readonly string[]) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521)
}
const check = (lines: readonly string[], pinned: readonly CheckpointKey[] = []) =>
  checkExport(readLines(bytesOf(lines)), pinned)
const lineOf = (file: readonly string[], id: string | undefined) =>
  file.findIndex((line) => line.includes(`{"id":"${id}"`))
const sealAt = (file: readonly string[], height: number) =>
  file.findIndex((line) => line.startsWith('{"seal"') && JSON.parse(line).seal.height === height)

describe('an export with proof', () => {
  test('is what is sealed, in its order, each block followed by its seal', async () => {
    const records = lines.filter((line) => !line.startsWith('{"seal"')).map((line) => JSON.parse(line))
    assert.deepEqual(
      records.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(
      [1, 2, 3].map((height) => sealAt(lines, height)),
      [1_000, 2_001, lines.length - 1],
    )
    const { body } = await core.request('GET', `/api/v1/audit/${ids[5]}`, { token: ada.token })
    assert.deepEqual(records[5], body)
  })

  test('is valid, with the keys of the installation and without', async () => {
    const verdict = await check(lines, keys)
    const { made, signed_by, ...rest } = verdict
    assert.deepEqual(rest, {
      first_invalid: null,
      checked: RECORDS,
      seals: 3,
      tenant_id: ada.tenantId,
      covers: { from: 1, to: RECORDS },
    })
    assert.deepEqual(
      [made?.first, made?.last],
      [lines[0], lines.at(-2)].map((line) => JSON.parse(line ?? '').created_at),
    )
    assert.deepEqual(signed_by, [{ key_id: keys[0]?.key_id, public_key: keys[0]?.public_key }])
    assert.deepEqual(await check(lines), verdict)
  })

  test('leaves out what waits to be sealed', async () => {
    await record(core, ada.tenantId)
    assert.deepEqual(await exportOf(ada), lines)
  })

  test('is recorded, and takes no other filter or format', async () => {
    await send(ada, '&to=2100-01-01T00:00:00Z')
    const { body } = await core.request('GET', '/api/v1/audit?action=audit.exported&limit=1', { token: ada.token })
    const filters = { to: '2100-01-01T00:00:00.000Z' }
    assert.deepEqual(body.data[0].new_values, { format: 'ndjson', filters, proof: true })
    const refused = async (query: string) => {
      const { status, body } = await core.request('GET', `/api/v1/audit/export?proof=true${query}`, {
        token: ada.token,
      })
      return [status, ...body.errors.map(({ pointer }: { pointer: string }) => pointer)]
    }
    assert.deepEqual(await refused('&format=ndjson&action=store.*&q=x'), [400, 'query/action', 'query/q'])
    assert.deepEqual(await refused('&format=csv'), [400, 'query/format'])
    assert.deepEqual(await refused(''), [400, 'query/format'])
    assert.deepEqual(await refused('&format=ndjson&to=never'), [400, 'query/to'])
  })

  test('of a tenant without seals is empty, and proves nothing', async () => {
    const nobody = await foundWithRecords(core, 0)
    const file = await exportOf(nobody)
    assert.deepEqual(file, [])
    assert.equal((await check(file)).first_invalid?.detail, 'The file holds no seal')
  })

  test('of a period has the blocks that it touches, and tells from where to where', async () => {
    const timeOf = (id: string | undefined) => JSON.parse(lines[lineOf(lines, id)] ?? '').created_at
    const file = await exportOf(ada, `&from=${timeOf(ids[1_400])}&to=${timeOf(ids[1_600])}`)
    assert.deepEqual(file, lines.slice(1_001, 2_002))
    const { first_invalid, covers, checked } = await check(file, keys)
    assert.deepEqual([first_invalid, covers, checked], [null, { from: 1_001, to: 2_000 }, 1_000])
    assert.deepEqual(await exportOf(ada, '&from=2100-01-01T00:00:00Z'), [])
  })
})

describe('what was done to a file is named:', () => {
  type Tamper = (file: string[]) => void
  type Named = { problem: string; at?: number; id?: string | null; position?: number | null; line?: number }
  const edit = (file: string[], at: number, from: string, to: string) => {
    const before = file[at] ?? ''
    file[at] = before.replace(from, to)
    assert.notEqual(file[at], before)
  }
  const cases: Record<string, { tamper: Tamper; named: () => Named }> = {
    'a changed record': {
      tamper: (file) => edit(file, lineOf(file, ids[1_203]), 'Toy 1204', 'Toy 1205'),
      named: () => ({ problem: 'changed', at: 1_203, line: 1_205 }),
    },
    'a record with one field more': {
      tamper: (file) => edit(file, 3, '{"id"', '{"note":"x","id"'),
      named: () => ({ problem: 'changed', id: null, position: null, line: 4 }),
    },
    'a record that says two things at once': {
      tamper: (file) => edit(file, 1_500, '"action":"toy.made"', '"action":"toy.lost","action":"toy.made"'),
      named: () => ({ problem: 'changed', id: null, position: 1_500, line: 1_501 }),
    },
    'a line that is none': {
      tamper: (file) => file.splice(2_000, 0, 'hello'),
      named: () => ({ problem: 'changed', id: null, position: 2_000, line: 2_001 }),
    },
    'a removed record': {
      tamper: (file) => file.splice(lineOf(file, ids[700]), 1),
      named: () => ({ problem: 'removed', at: 700, line: 701 }),
    },
    'the last record of a block, removed': {
      tamper: (file) => file.splice(lineOf(file, ids[999]), 1),
      named: () => ({ problem: 'removed', at: 999, line: 1_000 }),
    },
    'an inserted record': {
      tamper: (file) =>
        file.splice(500, 0, (file[3] ?? '').replace(ids[3] ?? '', `${ids[3]?.slice(0, -12)}ffffffffffff`)),
      named: () => ({ problem: 'inserted', id: `${ids[3]?.slice(0, -12)}ffffffffffff`, position: null, line: 501 }),
    },
    'a record that is there twice': {
      tamper: (file) => file.splice(500, 0, file[3] ?? ''),
      named: () => ({ problem: 'inserted', id: ids[3], position: null, line: 501 }),
    },
    'a record after the last seal': {
      tamper: (file) => file.push(file[3] ?? ''),
      named: () => ({ problem: 'inserted', id: ids[3], position: null, line: RECORDS + 4 }),
    },
    'lines in another order': {
      tamper: (file) => file.splice(10, 2, file[11] ?? '', file[10] ?? ''),
      named: () => ({ problem: 'reordered', at: 10, line: 11 }),
    },
    'records that swapped their ids': {
      tamper: (file) => {
        const [a, b] = [JSON.parse(file[20] ?? ''), JSON.parse(file[30] ?? '')]
        file[20] = JSON.stringify({ ...b, id: a.id })
        file[30] = JSON.stringify({ ...a, id: b.id })
      },
      named: () => ({ problem: 'reordered', at: 20, line: 21 }),
    },
    'the first seal, removed: its records have none': {
      tamper: (file) => file.splice(sealAt(file, 1), 1),
      named: () => ({ problem: 'inserted', id: ids[0], position: null, line: 1 }),
    },
    'a removed seal in the middle': {
      tamper: (file) => file.splice(sealAt(file, 2), 1),
      named: () => ({ problem: 'seal', id: null, position: 1_001, line: RECORDS + 2 }),
    },
    'a block removed with its records': {
      tamper: (file) => file.splice(1_001, 1_001),
      named: () => ({ problem: 'seal', id: null, position: 1_001, line: 1_302 }),
    },
    'seals that swapped their places': {
      tamper: (file) => {
        const [a, b] = [sealAt(file, 1), sealAt(file, 2)]
        ;[file[a], file[b]] = [file[b] ?? '', file[a] ?? '']
      },
      named: () => ({ problem: 'seal', id: null, position: 1_001, line: 1_001 }),
    },
    'a seal over other entries': {
      tamper: (file) => {
        const at = sealAt(file, 2)
        const { seal } = JSON.parse(file[at] ?? '')
        const entries = Buffer.from(seal.entries, 'base64url')
        entries[100] = 255 - (entries[100] ?? 0)
        file[at] = JSON.stringify({ seal: { ...seal, entries: entries.toString('base64url') } })
      },
      named: () => ({ problem: 'seal', id: null, position: 1_001, line: 2_002 }),
    },
    'a signature of another seal': {
      tamper: (file) => {
        const [a, b] = [1, 3].map((height) => JSON.parse(file[sealAt(file, height)] ?? '').seal)
        file[sealAt(file, 3)] = JSON.stringify({ seal: { ...b, signature: a.signature } })
      },
      named: () => ({ problem: 'seal', id: null, position: 2_001, line: RECORDS + 3 }),
    },
    'a seal without its last key': {
      tamper: (file) => {
        const { seal } = JSON.parse(file.at(-1) ?? '')
        file[file.length - 1] = JSON.stringify({ seal: { ...seal, kid: 'unknown' } })
      },
      named: () => ({ problem: 'seal', id: null, position: RECORDS }),
    },
  }
  for (const [name, { tamper, named }] of Object.entries(cases)) {
    test(name, async () => {
      const file = [...lines]
      tamper(file)
      for (const pinned of [[], keys]) {
        const { first_invalid } = await check(file, pinned)
        const { problem, at, id, position, line } = named()
        const [expectedId, expectedPosition] = at === undefined ? [id, position] : [ids[at], at + 1]
        assert.deepEqual(
          [first_invalid?.problem, first_invalid?.record_id, first_invalid?.position, first_invalid?.line],
          [problem, expectedId, expectedPosition, line],
          first_invalid?.detail,
        )
      }
    })
  }

  test('all of it, made anew with another key', async () => {
    const forger = keysFromSeeds([Buffer.alloc(32, 7)])
    const forged = forge(lines, forger)
    // It fits together: without the installation's key nobody can tell.
    assert.equal((await check(forged)).first_invalid, null)
    const { first_invalid } = await check(forged, keys)
    assert.equal(
      first_invalid?.detail,
      `The last seal is signed by the key ${forger.all[0]?.key_id}, which is none of those given`,
    )
    // Under the name of the right key the signature is wrong.
    const { seal } = JSON.parse(forged[1] ?? '')
    const named = [forged[0] ?? '', JSON.stringify({ seal: { ...seal, kid: keys[0]?.key_id } })]
    assert.match((await check(named, keys)).first_invalid?.detail ?? '', /hash|signature/)
  })
})

describe('a file that retention took records from', () => {
  test('is valid, and begins where the chain begins now', async () => {
    const person = await foundWithRecords(core, RECORDS)
    const { tenantId } = person
    await sealAndComplete(core, tenantId)
    const sealed = await sealedIds(core, tenantId)
    await core.core.run((ctx) => appendRemoval(ctx, sealed[1_200] ?? ''), { tenantId, role: 'system' })
    await asSuperuser(core, 'delete from audit_logs where tenant_id = $1 and id < $2', [tenantId, sealed[1_200]])
    await asSuperuser(core, 'delete from audit_blocks where tenant_id = $1 and height = 1', [tenantId])
    const file = await exportOf(person)
    const { first_invalid, covers, checked } = await check(file, keys)
    assert.deepEqual([first_invalid, covers, checked], [null, { from: 1_001, to: RECORDS }, RECORDS - 1_200])
    assert.equal(Object.keys(JSON.parse(file[0] ?? ''))[0], 'removal')
    const missing = file.toSpliced(5, 1)
    assert.deepEqual((await check(missing, keys)).first_invalid?.record_id, sealed[1_204])
    // Without being told, whoever checks must take them for removed.
    assert.equal((await check(file.slice(1), keys)).first_invalid?.record_id, sealed[1_000])
    const { removal } = JSON.parse(file[0] ?? '')
    const more = [JSON.stringify({ removal: { ...removal, removed_to: sealed[2_000] } }), ...file.slice(1)]
    assert.equal((await check(more, keys)).first_invalid?.problem, 'seal')
    const unknown = [JSON.stringify({ removal: { ...removal, kid: 'unknown' } }), ...file.slice(1)]
    assert.equal((await check(unknown, keys)).first_invalid, null)
    const last = unknown.findIndex((line) => line.startsWith('{"seal"') && JSON.parse(line).seal.kind === 'removal')
    assert.match(
      (await check(unknown.toSpliced(last, 1), keys)).first_invalid?.detail ?? '',
      /Nothing proves the removal/,
    )
  })
})

describe('keys', () => {
  test('may change within a file', async () => {
    const person = await foundWithRecords(core, 100)
    await sealAndComplete(core, person.tenantId)
    const rotated = await createAuditCore({
      database: core.database,
      env: { APP_SECRET: 'another-secret-of-the-tests-0123456789-abcdefghij', APP_SECRET_PREVIOUS: TEST_SECRET },
    })
    try {
      await recordMany(core, person.tenantId, 10, 30)
      rotated.clock.advance(10 * SECONDS)
      await sealAll(rotated, person.tenantId)
      const { text } = await rotated.request('GET', '/api/v1/audit/export?format=ndjson&proof=true', {
        token: person.token,
      })
      const file = text.trimEnd().split('\n')
      const [current, previous] = rotated.core.use(checkpointKeys).all
      assert.ok(current && previous)
      const both = await check(file)
      assert.deepEqual(
        [both.first_invalid, both.signed_by.map(({ key_id }) => key_id)],
        [null, [previous.key_id, current.key_id]],
      )
      assert.equal((await check(file, [current])).first_invalid, null)
      assert.match((await check(file, [previous])).first_invalid?.detail ?? '', /none of those given/)
      // Where only the new key is known, the old seals are held by the new one.
      const { text: known } = await core.request('GET', '/api/v1/audit/export?format=ndjson&proof=true', {
        token: person.token,
      })
      assert.equal(JSON.parse(known.trimEnd().split('\n').at(-1) ?? '').seal.public_key, null)
      assert.match(
        (await check(known.trimEnd().split('\n'))).first_invalid?.detail ?? '',
        /which the file does not have/,
      )
      assert.equal((await check(known.trimEnd().split('\n'), [current])).first_invalid, null)
    } finally {
      await rotated.close()
    }
  })
})

/** The first record, changed, under a seal of somebody else. */
function forge(lines: readonly string[], forger: ReturnType<typeof keysFromSeeds>): string[] {
  const record = { ...JSON.parse(lines[0] ?? ''), action: 'toy.lost' }
  const { seal } = JSON.parse(lines[sealAt(lines, 1)] ?? '')
  const block = {
    ...seal,
    record_count: 1,
    entries: packEntries([{ id: record.id, hash: hashRecord(record) }]),
    previous_hash: Buffer.from(seal.previous_hash, 'hex'),
  }
  const hash = hashBlock(block)
  const sealed = writeSeal({ ...block, hash, ...forger.sign(hash) }, forger.all[0])
  return [JSON.stringify(record), JSON.stringify({ seal: sealed })]
}
