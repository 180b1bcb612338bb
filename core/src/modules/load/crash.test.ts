import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createCounting, readLoad, valuesOf } from './load.fixture.ts'

test('a process that is killed takes with it what it counted since it wrote, and nothing else', async () => {
  const core = await createCounting()
  try {
    const { id, owner } = await core.foundTenant()
    const operator = await core.addOperator(['support'])
    const before = valuesOf(await readLoad([core], operator), id).requests
    const script = fileURLToPath(new URL('./count-process.fixture.ts', import.meta.url))
    const { drop: _, ...urls } = core.database
    const child = spawn(process.execPath, [script, JSON.stringify(urls), await owner.token(), '5', '3'], {
      stdio: 'inherit',
    })
    const [, signal] = await once(child, 'exit')
    assert.equal(signal, 'SIGKILL')
    assert.equal(valuesOf(await readLoad([core], operator), id).requests - before, 5)
    assert.equal((await owner.get('/stores')).status, 200)
  } finally {
    await core.close()
  }
})
