import assert from 'node:assert/strict'
import { type Cases, SOME_PICTURE, type Tenant } from '../../testing/index.ts'

/** The id of a picture that the tenant's owner shows. */
async function show({ test, owner }: Tenant): Promise<string> {
  const { body } = await test.request('POST', '/api/v1/users/me/avatar', { token: owner, form: { file: SOME_PICTURE } })
  return new URL(body.avatar_url).pathname.split('/').at(-1) ?? ''
}

const cases: Cases = {
  // Everybody sees a picture, so it is nobody's.
  ids: { '/pictures': null },
  routes: {
    'GET /pictures/:id': {
      given: async (tenant) => ({ params: { id: await show(tenant) }, query: { size: '64', format: 'png' } }),
      see: ({ headers, text }) => {
        assert.equal(headers['content-type'], 'image/png')
        assert.match(text, /^.PNG\r\n/)
      },
    },
  },
}

export default cases
