// Breaks the guards one at a time, in copies of the working tree, and shows which test notices. What nothing notices is a
// gap, and the exit code is then 1. `npm run planted -- mailbox` tries those whose sentence or file has that word;
// `npm run planted -- --write` also writes the rows of those that were tried to docs/guards.md; with `--missing` those
// alone are tried that have no row there.
import { readFile, writeFile } from 'node:fs/promises'
import { startTestServer } from '../core/src/testing/server.ts'
import { dropDeadDatabases, dropTemplates } from '../core/src/testing/test-databases.ts'
import { readPlants } from './planted/all.ts'
import { type Copy, copyTree } from './planted/copy.ts'
import type { Plant } from './planted/plant.ts'
import { type Outcome, runTests, tryPlant } from './planted/try.ts'

const AT_ONCE = 2
const TABLE = new URL('../docs/guards.md', import.meta.url)
const root = new URL('..', import.meta.url).pathname
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const all = await readPlants()
const table = (await readFile(TABLE, 'utf8')).split('\n')
const isMeant = process.argv.includes('--missing') ? (plant: Plant) => rowsOf(plant).length === 0 : () => true
const plants = all.filter(
  (plant) => words.every((word) => `${plant.guard} ${plant.file}`.includes(word)) && isMeant(plant),
)

const server = await startTestServer()
const env = { ...process.env, NODE_ENV: 'test', TEST_DATABASE_SUPERUSER_URL: server.superuserUrl }
const copies = await Promise.all(Array.from({ length: AT_ONCE }, () => copyTree(root)))
try {
  await proveTests()
  const outcomes = await inTurns(plants, async (plant, copy) => report(plant, await tryPlant(plant, copy, env)))
  const gaps = outcomes.filter((outcome) => 'gap' in outcome).length
  if (process.argv.includes('--write')) await writeTable(outcomes)
  print(`\n${plants.length - gaps} of ${plants.length} broken guards were noticed`)
  process.exitCode = gaps > 0 ? 1 : 0
} finally {
  for (const copy of copies) await copy.remove()
  await server.stop()
}

/** A test that fails anyway notices nothing. */
async function proveTests(): Promise<void> {
  const files = [...new Set(plants.flatMap(({ tests }) => tests))]
  await inTurns(files, async (file, copy) => {
    const { code, output } = await runTests([file], copy, env)
    if (code !== 0) throw new Error(`${file} fails with every guard in place:\n${output.slice(-5_000)}`)
  })
}

async function inTurns<T, R>(items: readonly T[], work: (item: T, copy: Copy) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (copy: Copy) => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!, copy) // below the length
  }
  await Promise.all(copies.map(worker))
  await dropDeadDatabases(server.superuserUrl)
  await dropTemplates(server.superuserUrl)
  return results
}

function report(plant: Plant, outcome: Outcome): Outcome {
  print(line(plant, outcome))
  return outcome
}

function line({ guard, file }: Plant, outcome: Outcome): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const noticed = 'gap' in outcome ? `**NOTHING**: ${outcome.gap}` : outcome.noticedBy
  return `| ${cell(guard)} | \`${file}\` | ${cell(noticed)} |`
}

/** What the table says of a plant: one row, or none. */
function rowsOf(plant: Plant): string[] {
  const begin = line(plant, { noticedBy: '' }).slice(0, -' |'.length)
  return table.filter((row) => row.startsWith(begin))
}

/** Rows of those that were tried are written anew; those of the others stay, as long as the plant is there. */
async function writeTable(outcomes: readonly Outcome[]): Promise<void> {
  const rows = all.flatMap((plant) => {
    const outcome = outcomes[plants.indexOf(plant)]
    return outcome ? [line(plant, outcome)] : rowsOf(plant)
  })
  const text = `# Guards and the tests that notice when they break

\`npm run planted\` breaks each of these, one at a time, and names the first test that fails.

| guard | broken in | noticed by |
|---|---|---|
${rows.join('\n')}
`
  await writeFile(TABLE, text)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
