import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'

it('an older Node is told in one line what the check needs', () => {
  const older = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.11.0" })'
  const { status, stderr } = spawnSync(process.execPath, ['--import', older, 'scripts/check.js'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^The check needs Node 24; .*npm rebuild node.*\n$/)
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  assert.deepEqual([scripts.test, scripts['check:all']], ['node scripts/check.js', 'node scripts/check.js --all'])
})
