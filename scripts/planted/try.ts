import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import type { Copy } from './copy.ts'
import type { Plant } from './plant.ts'

const PATIENCE_MS = 5 * 60_000

/** What came of breaking one guard: the test that noticed, or why nothing did. */
export type Outcome = { noticedBy: string } | { gap: string }

/** What is wrong with a plant itself; null when it can be tried. */
export function problemOf({ find, replace, file }: Plant, text: string): string | null {
  const count = text.split(find).length - 1
  if (count !== 1) return `stands ${count} times in ${file}, not once: ${find}`
  if (find === replace) return `breaks nothing in ${file}: ${find}`
  return null
}

/** Breaks the guard in the copy, runs its tests and mends it again. */
export async function tryPlant(plant: Plant, copy: Copy, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const path = join(copy.root, plant.file)
  const text = await readFile(path, 'utf8')
  const problem = problemOf(plant, text)
  if (problem) return { gap: problem }
  // A function: what stands for the text must not be read as a pattern.
  const broken = text.replace(plant.find, () => plant.replace)
  // What cannot even be read fails every test and proves nothing.
  if (path.endsWith('.ts')) stripTypeScriptTypes(broken)
  await writeFile(path, broken)
  try {
    const { code, output } = await runTests(plant.tests, copy, env)
    if (code === 0) return { gap: 'every test still passes' }
    // A file that cannot even be loaded fails under its own name, and proves nothing.
    const names = [...output.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map(([, name = '']) => name)
    const noticedBy = names.find((name) => !name.endsWith('.test.ts'))
    return noticedBy === undefined ? { gap: `the tests ended with ${code}: ${lastLines(output)}` } : { noticedBy }
  } finally {
    await writeFile(path, text)
  }
}

/** Runs test files of the copy; the output is TAP. */
export function runTests(
  tests: readonly string[],
  { root }: Copy,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const args = ['--test', '--test-reporter=tap', ...tests]
    const child = spawn(process.execPath, args, {
      cwd: root,
      // A migrated database is shared by these files and by no others: what migrates it may be what was broken.
      env: { ...env, TEST_RUN_ID: randomUUID(), NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') },
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

const lastLines = (output: string) => output.trim().split('\n').slice(-3).join(' / ').slice(0, 300)
