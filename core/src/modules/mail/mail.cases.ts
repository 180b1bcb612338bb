import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { signatureHeaders } from '#kernel'
import type { Cases, Tenant } from '../../testing/index.ts'
import { markOf } from './message-id.ts'
import { recordComplaint } from './suppressions.ts'
import { unsubscribeToken } from './unsubscribe/tokens.ts'

/** A mail of the tenant that waits; any kind whose text holds whatever happens. */
async function postMail({ test, tenantId, text }: Tenant): Promise<string> {
  const mail = test.core.registry.mails.get('invitations_withdrawn')
  assert.ok(mail)
  const to = `${text().replaceAll(' ', '-')}@example.com`
  const data = { name: 'Bob', tenantName: text(), invitations: [], more: 1, at: test.clock.now() }
  const id = await test.core.run((ctx) => ctx.mail(mail, { to, data }), { tenantId })
  assert.ok(id)
  return id
}

/** One that has left. */
async function sendMail(tenant: Tenant): Promise<string> {
  const id = await postMail(tenant)
  // Other rows of the queue may be none that anything can be done with; whether this one has left is what is asked for.
  await tenant.test.drainJobs(tenant.tenantId).catch(() => undefined)
  assert.equal((await tenant.send('GET', `/mails/${id}`)).status, 'sent')
  return id
}

async function suppress(tenant: Tenant): Promise<string> {
  const id = await postMail(tenant)
  const { to } = await tenant.send('GET', `/mails/${id}`)
  const { run } = tenant.test.core
  await run((ctx) => recordComplaint(ctx, { id, address: to.toLowerCase() }), { tenantId: tenant.tenantId })
  const { data } = await tenant.send('GET', `/mails/suppressions?${new URLSearchParams({ email: to })}`)
  return data[0].id
}

/** Signed as whoever runs the mail server would. */
function sign({ test: { core, clock } }: Tenant, raw: string) {
  const { reportSecret } = core.config.mail
  assert.ok(reportSecret)
  return { raw, headers: signatureHeaders({ id: 'report', body: raw }, [reportSecret], clock.ms()) }
}

const messageId = ({ test, tenantId }: Tenant, id: string) =>
  `<${markOf(test.core.secrets, { tenantId, id })}@example.com>`

async function report(tenant: Tenant) {
  const mail = messageId(tenant, await sendMail(tenant))
  return sign(tenant, JSON.stringify({ reports: [{ type: 'complaint', mail }] }))
}

async function returnMail(tenant: Tenant) {
  const id = await sendMail(tenant)
  const { to } = await tenant.send('GET', `/mails/${id}`)
  const part = (type: string, ...lines: string[]) => ['--b', `Content-Type: ${type}`, '', ...lines, '']
  const mail = [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    ...part('message/delivery-status', 'Reporting-MTA: dns; mx.example.net', '', `Final-Recipient: rfc822; ${to}`),
    ...part('text/rfc822-headers', `Message-ID: ${messageId(tenant, id)}`),
    '--b--',
  ]
  const status = ['Action: failed', 'Status: 5.1.1']
  return sign(tenant, mail.toSpliced(mail.findIndex((line) => line.startsWith('Final')) + 1, 0, ...status).join('\r\n'))
}

const exempt = 'shows every mail of the installation, in development alone'

const cases: Cases = {
  ids: { '/dev/mailbox': null },
  makers: { '/mails': postMail, '/mails/suppressions': suppress },
  routes: {
    'GET /mails': {
      given: async ({ id }) => {
        await id('/mails')
        return {}
      },
      see: async (_answer, _sent, tenant) => {
        const own = await tenant.id('/mails')
        const { to, kind, status, created_at } = await tenant.send('GET', `/mails/${own}`)
        const until = new Date(Date.parse(created_at) + 1).toISOString()
        const found = async (query: Record<string, string>) =>
          (await tenant.send('GET', `/mails?${new URLSearchParams(query)}`)).data.map((row: { id: string }) => row.id)
        assert.deepEqual(await found({ to: to.toUpperCase(), kind, status, since: created_at, until }), [own])
        assert.deepEqual(await found({ to, until: created_at }), [])
        assert.deepEqual(await found({ to, kind: 'other' }), [])
      },
    },
    'GET /mails/:id': {
      see: ({ body }, { params }, { tenantId, marker }) => {
        has(body, { ...params, tenant_id: tenantId, kind: 'invitations_withdrawn' })
        assert.ok(body.subject.includes(marker))
        for (const field of ['data', 'text', 'html']) assert.equal(field in body, false)
      },
    },
    'POST /mails/:id/resend': {
      given: async (tenant) => ({ params: { id: await sendMail(tenant) } }),
      see: ({ body }, { params }) => has(body, { resend_of: params.id, status: 'queued', attempts: 0 }),
    },
    'POST /mails/:id/cancel': {
      given: async (tenant) => ({ params: { id: await postMail(tenant) } }),
      see: ({ body }, { params }) => has(body, { ...params, status: 'canceled', reason: 'by_hand' }),
    },
    'GET /mails/suppressions': {
      given: async ({ id }) => {
        await id('/mails/suppressions')
        return {}
      },
      see: async ({ body }, _sent, { id, tenantId }) => {
        const own = await id('/mails/suppressions')
        const [row] = body.data.filter((each: { id: string }) => each.id === own)
        has(row, { tenant_id: tenantId, reason: 'complaint' })
      },
    },
    'DELETE /mails/suppressions/:id': {
      given: async (tenant) => ({ params: { id: await suppress(tenant) } }),
      see: async (_answer, { params }, { send }) => {
        const { data } = await send('GET', '/mails/suppressions?limit=100')
        assert.ok(!data.some(({ id }: { id: string }) => id === params.id))
      },
    },
    'POST /mails/reports': {
      given: report,
      see: ({ body }) => assert.deepEqual(body, { taken: 1, ignored: 0 }),
      // What is signed is believed of whatever mail it names; nothing of that is answered.
      across: null,
    },
    'POST /mails/reports/returned': {
      given: returnMail,
      see: ({ body }) => assert.deepEqual(body, { taken: 1, ignored: 0 }),
      across: null,
    },
    'GET /dev/mailbox': {
      exempt,
      see: ({ text, headers }) => {
        assert.ok(text.includes('<h1>Mailbox</h1>'))
        assert.match(String(headers['content-type']), /^text\/html/)
      },
    },
    'GET /dev/mailbox/:id': {
      exempt,
      given: async ({ test, tenantId }) => {
        await test.drainJobs(tenantId)
        await test.drainJobs(null)
        const [mail] = await test.mails()
        return { params: { id: mail?.id ?? 'none' } }
      },
      see: ({ text }) => assert.match(text, /<h1>.+<\/h1>/),
    },
    'POST /unsubscribe': {
      given: async ({ test, tenantId, send }) => {
        const { id: userId } = await send('GET', '/users/me')
        const token = unsubscribeToken(test.core, { tenantId, userId, kind: 'announcement' })
        return { query: { token }, raw: 'List-Unsubscribe=One-Click' }
      },
      across: null,
      see: ({ body }) => assert.deepEqual(body, { unsubscribed: true }),
    },
  },
}

export default cases
