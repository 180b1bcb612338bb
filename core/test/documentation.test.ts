import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const page = readFileSync(new URL('../../docs/writing-a-module.md', import.meta.url), 'utf8')
/** The page's code blocks that begin with the name of a file of the example. */
const blocks = [...page.matchAll(/```(?:ts|sql)\n((?:\/\/|--) catalog\/(\S+): [\s\S]*?)```/g)]

describe('the example of the handbook', () => {
  for (const [, code = '', name = ''] of blocks) {
    it(`${name} is the code that the tests run`, () => {
      const file = readFileSync(new URL(`./catalog/${name}`, import.meta.url), 'utf8')
      assert.equal(code.replaceAll("'tenantry'", "'#kernel'"), file)
    })
  }

  it('is shown whole', () => {
    const names = blocks.map(([, , name]) => name).sort()
    const files = [
      'configuration.ts',
      'events.ts',
      'index.ts',
      'listeners.ts',
      'mails.ts',
      'migrations/0001.sql',
      'operations.ts',
      'queries.ts',
      'schema.ts',
      'settings.ts',
      'table.ts',
    ]
    assert.deepEqual(names, files)
  })
})
