// What is published is proven as a user has it: packed by npm, installed from the tarball into a folder of its own, imported,
// compiled against, started and tested there, on the oldest Node that it is for and on this one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { getTestServer } from '../core/src/testing/server.ts'
import { until } from '../core/src/testing/until.ts'
import { OLDEST_NODE } from './package/manifest.ts'
import { judgePackage } from './package/verdicts.ts'
import { copyCheckout, filesIn, installNode, npm, PATIENCE_MS, run, whileStarted } from './package/workbench.ts'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

let folder: string
let tarball: string
/** The example, as an application of its own; the package is in its `node_modules`. */
let app: string
let installed: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-package-'))
  // PostgreSQL runs as another user when root runs the tests.
  await chmod(folder, 0o711)
  app = join(folder, 'app')
  installed = join(app, 'node_modules/tenantry')
})
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'))

/** Types are looked at in every check anyway; without them what comes out is the same, in two thirds of the time. */
async function trustTypes(config: string): Promise<void> {
  const { compilerOptions, ...rest } = await readJson(config)
  await writeFile(config, JSON.stringify({ ...rest, compilerOptions: { ...compilerOptions, noCheck: true } }))
}

/** Plays npm: calls prepack, and then does nothing until it is killed. */
const LIKE_NPM = `
const { spawnSync } = require('node:child_process')
const { status } = spawnSync(process.execPath, [process.argv[1], 'prepack'], { stdio: ['ignore', 'inherit', 'inherit'] })
if (status !== 0) process.exit(1)
process.stdout.write('in place')
setInterval(() => {}, 1000)`

describe('npm pack in core', () => {
  it('makes a tarball, and leaves the checkout as it was', async () => {
    const checkout = join(folder, 'checkout')
    await copyCheckout(root, checkout)
    const core = join(checkout, 'core')
    await trustTypes(join(core, 'tsconfig.build.json'))
    const look = async () => [await filesIn(core), await readFile(join(core, 'package.json'), 'utf8')]
    const before = await look()
    const [{ filename }] = JSON.parse(await npm(['pack', '--json', '--pack-destination', folder], core))
    tarball = join(folder, filename)
    assert.deepEqual(await look(), before)
  })

  it('leaves the checkout as it was when it is killed in between, too', async () => {
    const small = join(folder, 'small-core')
    await mkdir(join(small, 'src/modules'), { recursive: true })
    const manifest = JSON.stringify({ name: 'x', version: '1.0.0', imports: {}, exports: { '.': './src/index.ts' } })
    await cp(join(root, 'core/tsconfig.build.json'), join(small, 'tsconfig.build.json'))
    await writeFile(join(small, 'package.json'), manifest)
    await writeFile(join(small, 'src/index.ts'), 'export {}')
    const checkout = join(folder, 'small-checkout')
    await copyCheckout(root, checkout, small)
    const core = join(checkout, 'core')
    const before = await filesIn(core)
    const current = () => readFile(join(core, 'package.json'), 'utf8')

    const likeNpm = spawn(process.execPath, ['-e', LIKE_NPM, join(checkout, 'scripts/package.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(likeNpm.stdout, 'data')
    assert.match(await current(), /dist\/index\.js/)
    likeNpm.kill('SIGKILL')
    await until('the checkout to be as it was', async () => (await current()) === manifest, PATIENCE_MS)
    assert.deepEqual(await filesIn(core), before)
  })
})

describe('the tarball', () => {
  it('installs into a folder that has nothing else', async () => {
    const isOurs = (path: string) => !/\/(?:node_modules|\.data)(?:\/|$)/.test(path.slice(root.length))
    await cp(join(root, 'examples/catalog'), app, { recursive: true, filter: isOurs })
    await cp(join(root, 'scripts/package/beside'), app, { recursive: true })
    await npm(['install', '--ignore-scripts', tarball], app)
  })

  it('has what the code reads, README and LICENSE, and neither tests nor sources', async () => {
    const files = await filesIn(installed)
    const beside = (await filesIn(join(root, 'core/src'))).filter((name) => !name.endsWith('.ts'))
    const needed = [
      'README.md',
      'LICENSE',
      'bin/tenantry.js',
      'dist/index.js.map',
      ...beside.map((name) => `dist/${name}`),
    ]
    assert.deepEqual(
      needed.filter((name) => !files.includes(name)),
      [],
      'is missing',
    )
    assert.deepEqual(
      files.filter((name) => /\.test\.|\.fixture\.|(?<!\.d)\.ts$/.test(name)),
      [],
      'is not to be published',
    )
  })

  it('is what publint and attw expect', async () => {
    assert.deepEqual(await judgePackage(installed, await readFile(tarball)), [])
  })

  it('asks for a Node that all of its dependencies run on', async () => {
    const { dependencies, engines } = await readJson(join(installed, 'package.json'))
    assert.equal(engines.node, OLDEST_NODE)
    const needs = await Promise.all(
      Object.keys(dependencies).map(async (name) => {
        const manifest = await readJson(join(app, 'node_modules', name, 'package.json'))
        return { name, needs: /^>=\s*([\d.]+)$/.exec(manifest.engines?.node ?? '')?.[1] ?? '0' }
      }),
    )
    const oldest = `${OLDEST_NODE.replace('>=', '')}.0`
    const isNewer = (version: string) => version.localeCompare(oldest, 'en', { numeric: true }) > 0
    assert.deepEqual(
      needs.filter(({ needs }) => isNewer(needs)),
      [],
    )
  })

  it('is compiled against strictly, its declarations and those of its dependencies looked at too', async () => {
    await run(process.execPath, [tsc, '--singleThreaded', '-p', 'tsconfig.strict.json'], { cwd: app })
  })

  it('is compiled against as bundlers resolve it', async () => {
    await run(process.execPath, [tsc, '--singleThreaded', '-p', 'tsconfig.bundler.json'], { cwd: app })
  })
})

/** Founds a tenant through the front door; its id. */
async function register(base: string, version: string): Promise<string> {
  const email = `${version.replaceAll(' ', '-')}@example.com`
  const response = await fetch(`${base}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'a quiet walk along the river', name: 'Ada', tenant_name: 'Acme' }),
  })
  assert.equal(response.status, 201)
  return JSON.parse(await response.text()).tenant.id
}

/** The oldest first, so that the newer one starts on what it has left. */
for (const version of ['22', 'this one'])
  describe(`an application made of it, on Node ${version}`, () => {
    let node: string | undefined
    let reason = ''
    before(async () => {
      node =
        version === 'this one'
          ? process.execPath
          : await installNode(version, join(folder, 'node')).catch((error: Error) => {
              reason = `LEFT OUT: Node ${version} cannot be had. ${error.message}`
              return undefined
            })
    })
    const on = (work: (node: string) => Promise<unknown>) => async (t: TestContext) => {
      if (node) await work(node)
      else t.skip(reason)
    }

    it(
      'gets something through every door',
      on(async (node) => {
        const { exports } = await readJson(join(installed, 'package.json'))
        const doors = Object.keys(exports).filter((path) => !path.endsWith('.json'))
        const script = `for (const door of ${JSON.stringify(doors)})
          if (Object.keys(await import('tenantry' + door.slice(1))).length === 0) throw new Error(door + ' is empty')`
        await run(node, ['--input-type=module', '-e', script], { cwd: app })
      }),
    )

    it(
      'passes its own tests',
      on(async (node) => {
        const env = { TEST_DATABASE_SUPERUSER_URL: await getTestServer() }
        await run(node, ['--test', 'catalog.test.ts', 'isolation.test.ts'], { cwd: app, env })
      }),
    )

    it(
      'starts on the embedded PostgreSQL, answers under its own name, and stops',
      on((node) =>
        whileStarted(node, app, async (base) => {
          const document = JSON.parse(await (await fetch(`${base}/api/openapi.json`)).text())
          assert.equal(document.info.title, 'Shop')
          assert.ok('/api/v1/articles' in document.paths)
          assert.equal((await fetch(`${base}/health/ready`)).status, 200)
          const shop = ['--tenant', await register(base, version), '--store', 'Harbour']
          assert.equal(await run(node, ['main.ts', 'articles', 'add', ...shop, 'Rye'], { cwd: app }), '1 added\n')
        }),
      ),
    )
  })
