import { execFile } from 'node:child_process'
import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { describePackage, type Manifest } from './manifest.ts'

/**
 * Builds what is published of `core` into a folder: JavaScript, declarations and source maps of all that the doors reach,
 * the SQL and text files beside them, the program, README, LICENSE and a `package.json` of its own.
 */
export async function buildPackage(core: string, folder: string): Promise<void> {
  const dist = join(folder, 'dist')
  await mkdir(folder, { recursive: true })
  await compile(core, dist)
  await copyOthers(join(core, 'src'), dist)
  await showTables(dist)
  if (folder !== core) await cp(join(core, 'bin'), join(folder, 'bin'), { recursive: true })
  for (const file of ['README.md', 'LICENSE']) await cp(join(core, '..', file), join(folder, file))
}

/** The `package.json` that is published, as text. */
export async function renderManifest(core: string): Promise<string> {
  const manifest: Manifest = JSON.parse(await readFile(join(core, 'package.json'), 'utf8'))
  return `${JSON.stringify(describePackage(manifest, await listModules(core)), null, 2)}\n`
}

export async function writeManifest(core: string, folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), await renderManifest(core))
}

async function listModules(core: string): Promise<string[]> {
  const entries = await readdir(join(core, 'src/modules'), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function compile(core: string, dist: string): Promise<void> {
  const tsc = join(core, '../node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [
      tsc,
      '--singleThreaded',
      '-p',
      join(core, 'tsconfig.build.json'),
      '--outDir',
      dist,
    ])
  } catch (error) {
    // Its complaints stand on standard output.
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : ''
    throw new Error(`The package does not compile:\n${said || error}`, { cause: error })
  }
}

/** Migrations, word lists, assets: whatever the code reads from beside itself. */
async function copyOthers(source: string, dist: string): Promise<void> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const target = join(dist, relative(source, path))
    await mkdir(dirname(target), { recursive: true })
    await cp(path, target)
  }
}

/**
 * Declarations that add to the kernel's types, tables above all, count only where a program reaches them, and the door's own
 * declarations do not lead there: they name types alone. So the door says it.
 */
async function showTables(dist: string): Promise<void> {
  const files = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.d.ts')).sort()
  const adding: string[] = []
  for (const file of files) {
    const text = await readFile(join(dist, file), 'utf8')
    if (/^declare module '#kernel'/m.test(text)) adding.push(file.replaceAll('\\', '/'))
  }
  const lines = adding.map((file) => `import './${dirname(file)}/${basename(file, '.d.ts')}.ts';\n`)
  await appendFile(join(dist, 'index.d.ts'), lines.join(''))
}
