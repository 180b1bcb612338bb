import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInProcess } from '../../test/run-in-process.ts'
import type { ProductOptions } from '../kernel/product.ts'
import { defineCommand } from './command.ts'
import { runCommand } from './commands.ts'

const sell = defineCommand({
  name: 'toys sell',
  summary: 'Sell toys',
  help: 'Sells what is there.',
  options: { to: { type: 'string' }, tag: { type: 'string', multiple: true }, dry: { type: 'boolean' } },
  operands: 1,
  run: async () => {},
})

/** What the application's command line makes of a line. */
const run = (line: string, commands = [sell], product: ProductOptions = { command: 'shop', version: '7.1.0' }) =>
  runInProcess(line, { line: (args) => runCommand(args, { modules: [], commands, product }) })

test('own commands stand behind the built-in ones, under the name of the application', async () => {
  for (const line of ['', '--help', 'help', 'toys --help', 'db -h']) {
    const { code, out, err } = await run(line)
    assert.deepEqual([code, err], [0, ''], line)
    assert.match(
      out,
      /^Usage: shop <command> \[options\]\n\n {2}start [\s\S]*\n {2}toys sell +Sell toys\n\nshop <command>/,
    )
    assert.doesNotMatch(out, /tenantry/)
  }
  const { out } = await run('toys sell -h')
  assert.equal(
    out,
    'Usage: shop toys sell [--to <value>] [--tag <value>]... [--dry] [argument]\n\nSells what is there.\n',
  )
  assert.deepEqual(await run('--version'), { code: 0, out: '7.1.0\n', err: '' })
})

test('the help of every built-in command speaks of the application', async () => {
  for (const name of [
    'start',
    'serve',
    'worker',
    'migrate',
    'db setup',
    'doctor',
    'admin create',
    'admin suspend',
    'admin reactivate',
    'admin revoke-sessions',
    'audit verify',
    'files move',
    'files check',
    'listen',
    'trigger',
  ]) {
    const { code, out } = await run(`${name} --help`)
    assert.equal(code, 0)
    assert.ok(out.startsWith(`Usage: shop ${name}`), out)
    assert.doesNotMatch(out.replace(/default: tenantry/g, ''), /tenantry/)
  }
})

test('what is unknown is refused in one line, with where to look', async () => {
  const wrong = {
    toys: 'shop: there is no command "toys". See: shop --help',
    'toys buy': 'shop: there is no command "toys buy". See: shop --help',
    constructor: 'shop: there is no command "constructor". See: shop --help',
    '--loud': 'shop: there is no option "--loud". See: shop --help',
    'toys sell --loud': "shop toys sell: Unknown option '--loud'. See: shop toys sell --help",
    'toys sell --to': "shop toys sell: Option '--to <value>' argument missing. See: shop toys sell --help",
    'toys sell --to --dry':
      "shop toys sell: Option '--to' has no value: what follows it begins with a dash. See: shop toys sell --help",
    'toys sell a b': "shop toys sell: Unexpected argument 'b'. See: shop toys sell --help",
    'db setup': 'shop db setup: --admin-url is required: an administrator of the server. See: shop db setup --help',
  }
  for (const [line, says] of Object.entries(wrong))
    assert.deepEqual(await run(line), { code: 2, out: '', err: `${says}\n` })
})

test('commands that cannot be told apart are refused', async () => {
  const named = (name: string) => defineCommand({ name, summary: 'Do nothing', run: async () => {} })
  const taken = { help: { type: 'boolean' } } as const // the words are the type
  const wrong = {
    'There are two commands "start"': named('start'),
    'There are two commands "toys sell"': named('toys sell'),
    'There are two commands "help"': named('help'),
    '"toys" is a command and the first word of another one': named('toys'),
    'The command "Toys!" needs a name of one or two words in lower-case letters, digits and hyphens': named('Toys!'),
    'The command "x" has an option of its own named --help or -h': { ...named('x'), options: taken },
    'The command "y" has an option of its own named --help or -h': {
      ...named('y'),
      options: { hot: { type: 'boolean', short: 'h' } },
    },
  } as const
  for (const [says, command] of Object.entries(wrong))
    assert.deepEqual(await run('--help', [sell, command]), { code: 1, out: '', err: `shop: ${says}\n` })
})

test('a product that cannot be shown is refused', async () => {
  const { code, err } = await run('--help', [], { name: 'Shop\u202e', command: 'shop', problemTypes: 'shop' })
  assert.equal(code, 1)
  assert.match(err, /^shop: The product cannot be called that: name must be .*; problemTypes /)
})
