import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

/** What a file of a store says besides itself. */
const ofStore = async (tenant: Tenant) => ({ entity_type: 'store', entity_id: await tenant.id('/stores') })

/** A file of the tenant, uploaded anew. */
async function upload({ test, owner, text, id }: Tenant, more: object = {}) {
  const file = { name: `${text()}.txt`, content: text(), type: 'text/plain' }
  const fields = { entity_type: 'store', entity_id: await id('/stores'), ...more }
  const {
    status,
    body,
    text: answer,
  } = await test.request('POST', '/api/v1/files', { token: owner, form: { fields, file } })
  assert.equal(status, 201, answer)
  return body
}

const CONTENT = 'Buy milk'
const ANNOUNCED = { content_type: 'text/plain', size: CONTENT.length }
const TYPED = { 'content-type': 'text/plain' }

/** An upload straight to the storage, and the token of its address. */
async function begin(tenant: Tenant): Promise<{ id: string; token: string }> {
  const body = { ...(await ofStore(tenant)), ...ANNOUNCED, filename: `${tenant.text()}.txt` }
  const { id, url } = await tenant.send('POST', '/files/uploads', body)
  return { id, token: lastOf(url) }
}

const trashed = async (tenant: Tenant) => {
  const { id } = await upload(tenant)
  await tenant.send('DELETE', `/files/${id}`)
  return { params: { id } }
}

/** The path of an answer's address. */
const lastOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)

const OWN = 'who has begun an upload goes on with it alone'
const TUS = { 'tus-resumable': '1.0.0' }

/** `Upload-Metadata` of a text file of a store. */
function metadataOf({ text }: Tenant, entityId: string): string {
  const fields = { filename: `${text()}.txt`, entity_type: 'store', entity_id: entityId }
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join()
}

const beginning = async (tenant: Tenant) => ({
  headers: { ...TUS, 'upload-length': '1000', 'upload-metadata': metadataOf(tenant, await tenant.id('/stores')) },
})

/** The id of a resumable upload of the tenant, begun anew. */
async function beginResumable(tenant: Tenant): Promise<string> {
  const sent = { token: tenant.owner, ...(await beginning(tenant)) }
  const { status, headers, text } = await tenant.test.request('POST', '/api/v1/files/tus', sent)
  assert.equal(status, 201, text)
  return lastOf(String(headers.location))
}

const cases: Cases = {
  ids: { entity_id: '/stores', '/file-links': null, '/file-uploads': null },
  makers: {
    '/files/uploads': async (tenant) => (await begin(tenant)).id,

    '/files': async (tenant) => (await upload(tenant)).id,
    '/files/tus': beginResumable,
    '/public-files/:tenant_id': async (tenant) => (await upload(tenant)).id,
  },
  tableRows: { file_uploads: () => ({ kind: 'form', storage_backend: 'local' }) },
  routes: {
    'POST /files': {
      given: async (tenant) => ({
        body: await ofStore(tenant),
        file: { name: `${tenant.text()}.txt`, content: tenant.text(), type: 'text/plain' },
      }),
      see: ({ body }, sent, { tenantId }) =>
        has(body, {
          tenant_id: tenantId,
          content_type: 'text/plain',
          filename: sent.file?.name,
          scan_status: 'none',
          ...sent.body,
        }),
    },
    'GET /files': {
      given: async (tenant) => {
        await tenant.id('/files')
        return {}
      },
      see: async ({ body }, _sent, tenant) => {
        const own = await tenant.id('/files')
        assert.ok(body.data.some(({ id }: { id: string }) => id === own))
      },
    },
    'GET /files/:id': {
      see: ({ body }, { params }, { tenantId, marker }) => {
        has(body, { ...params, tenant_id: tenantId })
        assert.ok(body.filename.includes(marker))
      },
    },
    'POST /files/uploads': {
      given: async (tenant) => ({
        body: { ...(await ofStore(tenant)), ...ANNOUNCED, filename: `${tenant.text()}.txt` },
      }),
      see: ({ body }) => has(body, { method: 'PUT', headers: { 'content-type': 'text/plain' } }),
    },
    'PUT /file-uploads/:token': {
      given: async (tenant) => ({ params: { token: (await begin(tenant)).token }, raw: CONTENT, headers: TYPED }),
      see: async (_answer, sent, { test }) => {
        // The address is good until its time is over.
        const again = { payload: CONTENT, headers: TYPED }
        assert.equal((await test.request('PUT', `/api/v1/file-uploads/${sent.params.token}`, again)).status, 204)
      },
      // Whoever was given such an address by the other tenant may send to it: that is what it is for.
      across: null,
    },
    'POST /files/uploads/:id/complete': {
      ownOnly: OWN,
      given: async (tenant) => {
        const { id, token } = await begin(tenant)
        await tenant.test.request('PUT', `/api/v1/file-uploads/${token}`, { payload: CONTENT, headers: TYPED })
        return { params: { id } }
      },
      see: ({ body }, { params }) => has(body, { ...params, size: CONTENT.length, content_type: 'text/plain' }),
    },
    'PUT /files/:id': {
      given: ({ text }) => ({ body: { filename: `${text()}.txt`, is_public: false } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...sent.body }),
    },
    'DELETE /files/:id': {
      see: async (_answer, { params }, { send }) => {
        assert.notEqual((await send('GET', `/files/${params.id}`)).trashed_at, null)
      },
    },
    'POST /files/:id/restore': {
      given: trashed,
      see: ({ body }, { params }) => has(body, { ...params, trashed_at: null }),
    },
    'DELETE /files/trash': {
      given: trashed,
      see: async (_answer, _sent, { send }) => assert.deepEqual((await send('GET', '/files?trashed=true')).data, []),
    },
    'GET /files/:id/download': {
      see: ({ headers, text }, _sent, { marker }) => {
        assert.ok(text.includes(marker))
        has(headers, { 'content-type': 'text/plain', 'x-content-type-options': 'nosniff' })
      },
    },
    'POST /files/:id/link': {
      given: () => ({ body: { expires_in: 60 } }),
      see: async ({ body }, _sent, { test, marker }) => {
        const { text } = await test.request('GET', new URL(body.url).pathname)
        assert.ok(text.includes(marker))
      },
    },
    'GET /file-links/:token': {
      given: async (tenant) => {
        const { id } = await upload(tenant)
        return { params: { token: lastOf((await tenant.send('POST', `/files/${id}/link`, {})).url) } }
      },
      see: ({ text }, _sent, { marker }) => assert.ok(text.includes(marker)),
      // Whoever was given a link of the other tenant may use it: that is what it is for.
      across: null,
    },
    'GET /public-files/:tenant_id/:id': {
      given: async (tenant) => ({
        params: { tenant_id: tenant.tenantId, id: (await upload(tenant, { is_public: true })).id },
      }),
      see: ({ text, headers }, _sent, { marker }) => {
        assert.ok(text.includes(marker))
        assert.match(String(headers['cache-control']), /^public/)
      },
    },
    'OPTIONS /files/tus': {
      see: ({ headers }) => has(headers, { ...TUS, 'tus-version': '1.0.0' }),
    },
    'POST /files/tus': {
      given: async (tenant) => ({ ...(await beginning(tenant)), raw: '' }),
      see: ({ headers }) => assert.match(String(headers['upload-expires']), / GMT$/),
      across: async (own, other) => ({ headers: { 'upload-metadata': metadataOf(own, await other.id('/stores')) } }),
    },
    'GET /files/tus/:id': {
      ownOnly: OWN,
      given: () => ({ headers: TUS }),
      see: ({ headers }) => has(headers, { ...TUS, 'upload-length': '1000' }),
    },
    'PATCH /files/tus/:id': {
      ownOnly: OWN,
      given: ({ text }) => ({ headers: { ...TUS, 'upload-offset': '0' }, raw: text() }),
      see: ({ headers }, { raw = '' }) => has(headers, { ...TUS, 'upload-offset': String(raw.length) }),
    },
    'DELETE /files/tus/:id': {
      ownOnly: OWN,
      given: () => ({ headers: TUS }),
      see: async (_answer, { params }, { test, owner }) => {
        const sent = { token: owner, headers: TUS }
        const { status } = await test.request('GET', `/api/v1/files/tus/${params.id}`, sent)
        assert.equal(status, 404)
      },
    },
  },
}

export default cases
