import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/writing-a-module.md')
/** The page's code blocks that begin with the name of a file of the example. */
const blocks = [...page.matchAll(/```(?:ts|sql)\n((?:\/\/|--) catalog\/(\S+): [\s\S]*?)```/g)]

describe('the example of the handbook', () => {
  for (const [, code = '', name = ''] of blocks) {
    it(`${name} is the code that the tests run`, () => {
      assert.equal(code, read(`examples/catalog/${name}`))
    })
  }

  it('is shown whole, but for its tests', () => {
    const names = blocks.map(([, , name = '']) => name).filter((name) => !name.endsWith('.test.ts'))
    const files = readdirSync(new URL('../../examples/catalog', import.meta.url), { recursive: true, encoding: 'utf8' })
    const shown = files
      .filter((name) => /^(?!\.|node_modules).*(?:(?<!\.test)\.ts|\.sql)$/.test(name))
      .map((name) => name.replaceAll('\\', '/'))
    assert.deepEqual(names.sort(), shown.sort())
  })
})

describe('the channel of the page about notifications', () => {
  it('is the one that the tests run', () => {
    const [, code = 'none'] = read('docs/notifications.md').match(/```ts\n([\s\S]*?)\n```/) ?? []
    assert.ok(read('core/src/modules/notifications/delivery/gateway.fixture.ts').includes(code))
  })
})

describe('the door for webhooks of the handbook', () => {
  it('is the one that the tests run', () => {
    const [, code = 'none'] = page.match(/```ts\n(export const payments = defineInbound[\s\S]*?\n)```/) ?? []
    assert.ok(read('core/test/bank-module.ts').includes(code))
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
