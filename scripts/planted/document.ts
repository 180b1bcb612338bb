import type { Plant } from './plant.ts'

/** The API document: names of operations, headers, descriptions, what is sent of it. */
export const plants: Plant[] = [
  {
    guard: 'Two routes of one name are refused',
    file: 'core/src/kernel/registry-routes.ts',
    find: 'if (namesake !== undefined && other === undefined)',
    replace: 'if (namesake !== undefined && other !== undefined)',
    tests: ['core/test/kernel-registry.test.ts'],
  },
  {
    guard: 'Operations are called as the committed document calls them',
    file: 'core/src/kernel/http/operation-names.ts',
    find: "? 'list' : 'get')",
    replace: "? 'browse' : 'get')",
    tests: ['scripts/openapi.test.ts', 'core/src/kernel/http/operation-names.test.ts'],
  },
  {
    guard: 'A handler that does not say that it reads X-Store-ID fails when it does',
    file: 'core/src/kernel/http/handle.ts',
    find: 'isStoreUnread: !route.storeHeader,',
    replace: '',
    tests: ['core/test/store-header.test.ts'],
  },
  {
    guard: 'The codes of errors stand where makers of clients look for them',
    file: 'core/src/kernel/http/openapi-problems.ts',
    find: "const schema: JsonSchema = { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] }",
    replace: "const schema: JsonSchema = { $ref: '#/components/schemas/Problem', ...narrowed }",
    tests: ['core/test/openapi.test.ts'],
  },
  {
    guard: 'Every field has a description',
    file: 'core/src/modules/stores/schema.ts',
    find: "name: Type.String({ description: 'What people call it' }),",
    replace: 'name: Type.String(),',
    tests: ['core/test/openapi.test.ts'],
  },
  {
    guard: 'What the document shows as a request succeeds as it stands there',
    file: 'core/src/modules/tenants/schema.ts',
    find: "slug: 'blue-bottle-coffee'",
    replace: "slug: 'www'",
    tests: ['core/test/examples.test.ts'],
  },
  {
    guard: 'Every parameter has an example',
    file: 'core/src/kernel/http/openapi-inputs.ts',
    find: 'schema: { ...schema, examples },',
    replace: 'schema,',
    tests: ['core/test/examples.test.ts'],
  },
  {
    guard: 'The page of the API document signs in without keeping the token',
    file: 'core/src/kernel/http/assets/sign-in.js',
    find: 'window.ui.preauthorizeApiKey(scheme, entered.token)',
    replace: "localStorage.setItem('token', entered.token), window.ui.preauthorizeApiKey(scheme, entered.token)",
    tests: ['core/test/documents.browser.test.ts'],
  },
  {
    guard: 'A second factor that is due is said on the page of the API document',
    file: 'core/src/kernel/http/assets/sign-in.js',
    find: 'if (given.two_factor_required) return',
    replace: 'if (false) return',
    tests: ['core/test/documents.browser.test.ts'],
  },
  {
    guard: 'Whoever has the API document is not sent it again',
    file: 'core/src/kernel/http/static-text.ts',
    find: "if (isKnown(text.etag, asked['if-none-match'])) return",
    replace: "if (asked['if-none-match'] === text.etag.slice(2)) return",
    tests: ['core/test/probes.test.ts', 'core/src/kernel/http/static-text.test.ts'],
  },
  {
    guard: 'Nobody is sent a packed document who cannot unpack it',
    file: 'core/src/kernel/http/static-text.ts',
    find: '(weights.get(name) ?? weights.get(',
    replace: '(1 ?? weights.get(',
    tests: ['core/src/kernel/http/static-text.test.ts'],
  },
]
