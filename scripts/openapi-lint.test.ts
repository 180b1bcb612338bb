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
 * The one finding that stands. Both paths are promised to clients, and no request is ambiguous: an id is a UUID, so no id
 * is called `invitations`, and the router prefers fixed words. The rule does not look at what a parameter may be.
 */
const UNAMBIGUOUS =
  'no-ambiguous-paths: Paths should resolve unambiguously. Found two ambiguous paths: `/api/v1/users/invitations/{id}` and `/api/v1/users/{id}/roles`. #/paths/~1api~1v1~1users~1{id}~1roles'

test('the API document passes the strictest rules of redocly', async () => {
  assert.deepEqual(await lint(renderDocument()), [UNAMBIGUOUS])
})

test('the rules notice what is missing', async () => {
  const document = JSON.parse(renderDocument())
  delete document.paths['/api/v1/stores'].get.operationId
  delete document.tags[0].description
  document.paths['/api/v1/stores'].post.security = [{ nobody: [] }]
  const rules = (await lint(JSON.stringify(document))).map((problem) => problem.split(':', 1)[0])
  assert.deepEqual(rules.toSorted(), [
    'no-ambiguous-paths',
    'operation-operationId',
    'security-defined',
    'tag-description',
  ])
})
