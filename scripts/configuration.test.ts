import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { loadConfig } from '../core/src/kernel/config/config.ts'
import { allSettings, findStale, renderConfiguration } from './configuration.ts'

test('docs/configuration.md and .env.example are current', () => {
  assert.deepEqual(findStale(), [], 'run node scripts/configuration.ts')
})

test('every setting stands in both files, and every value offered in .env.example is valid', () => {
  const [docs, example] = renderConfiguration().map(({ content }) => content)
  const offered = parseEnv((example ?? '').replace(/^# (?=[A-Z\d_]+=)/gm, ''))
  assert.deepEqual(
    Object.keys(offered).sort(),
    allSettings()
      .map(([name]) => name)
      .sort(),
  )
  for (const [name, { kind }] of allSettings()) {
    assert.ok(docs?.includes(`**\`${name}\`**`), `${name} is not documented`)
    if (offered[name]) kind.parse(offered[name])
  }
})

test('.env.example as it stands changes nothing', () => {
  const asIs = parseEnv(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'))
  assert.deepEqual(loadConfig(asIs), loadConfig({}))
})

test('no default is given for a secret', () => {
  for (const [name, setting] of allSettings()) {
    if (setting.secret) assert.ok(!setting.default, name)
  }
})
