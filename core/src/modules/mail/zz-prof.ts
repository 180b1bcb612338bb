import { newId } from '#kernel'
import { createTestCore } from '../../testing/index.ts'
import { mail } from './index.ts'
import { letters, noticeMail } from './letters.fixture.ts'
import { startPeer } from './peer.fixture.ts'

const peer = await startPeer()
const core = await createTestCore({
  modules: [mail, letters],
  env: { SMTP_URL: peer.url, MAIL_FROM: 'a@example.com', LOG_LEVEL: 'warn' },
})
const tenantId = newId()
const at = core.clock.now()
const t0 = process.cpuUsage()
await core.core.run(
  async (ctx) => {
    for (let i = 0; i < 500; i++) await ctx.mail(noticeMail, { to: `a${i}@example.com`, data: { at } })
  },
  { tenantId },
)
const t1 = process.cpuUsage(t0)
console.log('post us each', (t1.user + t1.system) / 500)
const t2 = process.cpuUsage()
const w = performance.now()
await core.drainJobs(tenantId)
const t3 = process.cpuUsage(t2)
console.log(
  'send us each',
  (t3.user + t3.system) / 500,
  'wall ms each',
  (performance.now() - w) / 500,
  peer.received.length,
)
await core.close()
await peer.close()
