import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MARKER, startClamd, WITHOUT_CLAMD } from '../../kernel/scanning/clamd-server.fixture.ts'
import { createFileCore, text, uploaded } from './files.fixture.ts'

describe('the clamd of the distribution', { skip: WITHOUT_CLAMD, timeout: 300_000 }, () => {
  it('lets out what is clean, and locks away what it knows', async () => {
    const clamd = await startClamd()
    const test = await createFileCore({ env: { CLAMAV_URL: clamd.url } })
    try {
      const { owner, id: tenantId } = await test.foundTenant()
      const [clean, infected] = [await uploaded(owner), await uploaded(owner, text(`before ${MARKER} after`))]
      await test.drainJobs(tenantId)
      assert.equal((await owner.get(`/files/${clean.id}/download`)).status, 200)
      assert.equal((await owner.get(`/files/${infected.id}/download`)).status, 423)
      assert.equal((await owner.get(`/files/${infected.id}`)).body.scan_status, 'infected')
    } finally {
      await test.close()
      await clamd.close()
    }
  })
})
