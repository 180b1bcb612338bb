import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { renderDocument } from './openapi.ts'

/** What redocly's strictest rules object to, one sentence each. */
async function lint(source: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const found = await lintFromString({ source, absoluteRef: 'openapi.json', config })
  return found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`)
}

/**
 * The findings that stand. All these paths are promised to clients, and no request is ambiguous: an id is a UUID, so no id
 * is called `invitations`, and the router prefers fixed words. The rule does not look at what a parameter may be.
 */
const UNAMBIGUOUS = [
  ['/api/v1/mails/{id}/resend', '/api/v1/mails/suppressions/{id}'],
  ['/api/v1/users/invitations/{id}', '/api/v1/users/{id}/roles'],
  ['/api/v1/notifications/{id}/read', '/api/v1/notifications/push-subscriptions/{id}'],
  ['/api/v1/files/{id}/restore', '/api/v1/files/tus/{id}'],
].map(([one, other = '']) => {
  const pointer = `#/paths/${other.replaceAll('/', '~1')}`
  return `no-ambiguous-paths: Paths should resolve unambiguously. Found two ambiguous paths: \`${one}\` and \`${other}\`. ${pointer}`
})

test('the API document passes the strictest rules of redocly', async () => {
  assert.deepEqual(await lint(renderDocument()), UNAMBIGUOUS)
})

test('the rules notice what is missing', async () => {
  const document = JSON.parse(renderDocument())
  delete document.paths['/api/v1/stores'].get.operationId
  delete document.tags[0].description
  document.paths['/api/v1/stores'].post.security = [{ nobody: [] }]
  const rules = (await lint(JSON.stringify(document))).map((problem) => problem.split(':', 1)[0])
  assert.deepEqual(rules.toSorted(), [
    ...UNAMBIGUOUS.map(() => 'no-ambiguous-paths'),
    'operation-operationId',
    'security-defined',
    'tag-description',
  ])
})
