import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ensureAppSecret } from './app-secret.ts'
import { ConfigError, loadConfig } from './config.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'app-secret-'))
})
after(() => rm(root, { recursive: true }))

const configIn = (folder: string) => loadConfig({ DATA_DIR: join(root, folder) })

test('a secret is made once, kept for the owner alone, and found again', async () => {
  const config = configIn('made/deeper')
  const first = await ensureAppSecret(config)
  assert.match(first.appSecret ?? '', /^[\w-]{64}$/)
  assert.ok(Object.isFrozen(first))
  assert.equal((await ensureAppSecret(config)).appSecret, first.appSecret)
  const path = join(config.dataDir, 'app_secret')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await readFile(path, 'utf8')).trim(), first.appSecret)
})

test('processes that start together end with one secret and leave no draft behind', async () => {
  const config = configIn('race')
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, index) => setTimeout(index % 7).then(() => ensureAppSecret(config))),
  )
  assert.equal(new Set(made.map(({ appSecret }) => appSecret)).size, 1)
  assert.deepEqual(await readdir(config.dataDir), ['app_secret'])
})

test('a secret that is set is left alone, and nothing is written', async () => {
  const config = loadConfig({ DATA_DIR: join(root, 'untouched'), APP_SECRET: 'given' })
  assert.equal(await ensureAppSecret(config), config)
  await assert.rejects(stat(config.dataDir))
})

test('a file that holds no secret is refused rather than replaced', async () => {
  const config = loadConfig({ DATA_DIR: root })
  await writeFile(join(root, 'app_secret'), '\n')
  await assert.rejects(ensureAppSecret(config), ConfigError)
})

test('a secret that is gone beside a database is missed, not replaced', async () => {
  const config = configIn('restored')
  await mkdir(join(config.dataDir, 'postgres'), { recursive: true })
  await assert.rejects(ensureAppSecret(config), /app_secret is gone, although there is a database .* restore the file/)
  assert.deepEqual(await readdir(config.dataDir), ['postgres'])
  const given = loadConfig({ DATA_DIR: config.dataDir, APP_SECRET: 'given' })
  assert.equal(await ensureAppSecret(given), given)
  await writeFile(join(config.dataDir, 'app_secret'), `${'x'.repeat(40)}\n`)
  assert.equal((await ensureAppSecret(config)).appSecret, 'x'.repeat(40))
})
