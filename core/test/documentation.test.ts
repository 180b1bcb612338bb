import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/writing-a-module.md')
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
      'supplier.ts',
      'table.ts',
      'till.ts',
    ]
    assert.deepEqual(names, files)
  })
})

describe('what is said of security', () => {
  it('has nothing else among what is not promised', () => {
    const [, section = ''] = read('SECURITY.md').split('## What is not promised\n')
    const titles = [...(section.split('\n## ')[0] ?? '').matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, title]) => title)
    assert.deepEqual(titles, [
      'Row-level security is against forgotten conditions, not against injected SQL.',
      'Whoever has `DATABASE_SYSTEM_URL` sees and changes every tenant',
    ])
  })
})

describe('the units of operations', () => {
  it('start Node itself, so that it gets the signals', () => {
    const commands = [...read('docs/operations.md').matchAll(/^ExecStart=(.*)$/gm)].map(([, command = '']) => command)
    assert.ok(commands.length > 0)
    for (const command of commands) assert.match(command, /^\/\S*\/node \S*\btenantry (?:start|serve|worker)$/)
  })
})
