import type { Plant } from './plant.ts'

const PARTS = 'core/test/request-parts.test.ts'
const CORS = 'core/test/cors.test.ts'
const COOKIE = 'core/src/modules/auth/session-cookie.test.ts'
const MODE = 'core/src/modules/auth/session-mode.ts'
const CLOSED = 'core/src/modules/auth/closed-registration.test.ts'
const OWN_PAGE = 'core/src/kernel/http/own-page.ts'

/** What comes in from browsers, and what pages of others may do. */
export const plants: Plant[] = [
  {
    guard: 'A header that a route reads and that comes twice is refused',
    file: 'core/src/kernel/http/declared.ts',
    find: 'timesSent(raw.rawHeaders, name) > 1',
    replace: 'timesSent(raw.rawHeaders, name) > 2',
    tests: [PARTS],
  },
  {
    guard: 'A cookie that a route reads and that comes twice is refused',
    file: 'core/src/kernel/http/cookies.ts',
    find: "    if (Object.hasOwn(cookies, name)) problem('was sent more than once')\n",
    replace: '',
    tests: [PARTS],
  },
  {
    guard: 'No answer that sets a cookie stays in a cache',
    file: 'core/src/kernel/http/finish.ts',
    find: "if (route.access !== 'public' || cookies.length > 0) delete",
    replace: "if (route.access !== 'public') delete",
    tests: [PARTS],
  },
  {
    guard: 'No answer that sets a cookie is kept to be given again',
    file: 'core/src/kernel/http/finish.ts',
    find: 'if (route.idempotent && (cookies.length > 0',
    replace: 'if (route.idempotent && (cookies.length > 1',
    tests: [PARTS],
  },
  {
    guard: 'A cookie allows something only in requests that a page of the installation makes',
    file: 'core/src/kernel/http/handle.ts',
    find: "if (route.method !== 'GET' && bringsCookies(route, request))",
    replace: "if (route.method === 'GET' && bringsCookies(route, request))",
    tests: [PARTS],
  },
  {
    guard: 'A request that says nothing of its page is not one of ours',
    file: OWN_PAGE,
    find: "fetchSite === 'same-origin'\n",
    replace: "fetchSite === 'same-origin' || fetchSite === null\n",
    tests: [PARTS],
  },
  {
    guard: 'A page that the browser calls one of another site is none of ours',
    file: OWN_PAGE,
    find: ' && (fetchSite === null || OF_ONE_SITE.includes(fetchSite))',
    replace: '',
    tests: [PARTS],
  },
  {
    guard: 'A form that is not percent-encoded UTF-8 is refused',
    file: 'core/src/kernel/http/form-body.ts',
    find: '  if (/[^\\x20-\\x7e]/.test(written)) throw notAForm()\n',
    replace: '',
    tests: [PARTS],
  },
  {
    guard: 'Bytes that a callback is signed over are part of what its Idempotency-Key stands for',
    file: 'core/src/kernel/http/handle.ts',
    find: "raw === undefined ? input.body : raw.toString('base64')",
    replace: 'input.body',
    tests: [PARTS],
  },
  {
    guard: 'A header that the kernel reads cannot be declared by a route',
    file: 'core/src/kernel/registry-inputs.ts',
    find: 'KEPT_HEADERS.includes(name) ?',
    replace: 'KEPT_HEADERS.includes(typeof name) ?',
    tests: ['core/src/kernel/registry-inputs.test.ts'],
  },
  {
    guard: 'Pages of origins that are not listed may read no answer',
    file: 'core/src/kernel/http/cors.ts',
    find: 'origin !== undefined && known.has(origin)',
    replace: 'origin !== undefined',
    tests: [CORS],
  },
  {
    guard: 'Pages of listed origins may send cookies along only where a route reads them',
    file: 'core/src/kernel/http/cors.ts',
    find: 'permission(origin, route?.cookies !== undefined)',
    replace: 'permission(origin, true)',
    tests: [CORS],
  },
  {
    guard: 'CORS_ORIGINS opens nothing that is for operators and programs of this machine',
    file: 'core/src/kernel/http/reach.ts',
    find: "return reach === 'public' || reach === 'documents'",
    replace: 'return reach.length > 0',
    tests: [CORS],
  },
  {
    guard: 'A cache keeps apart what different origins were answered',
    file: 'core/src/kernel/http/finish.ts',
    find: "mergeVary(reply.getHeader('vary'), headers.vary)",
    replace: 'headers.vary',
    tests: [CORS],
  },
  {
    guard: 'A plugin on Fastify takes no header away from the answers of modules',
    file: 'core/src/kernel/http/build.ts',
    find: 'if (setUp) holdStanding(scope, standing)',
    replace: '',
    tests: ['core/test/fastify-setup.test.ts'],
  },
  {
    guard: 'A plugin on Fastify brings no content type into the routes of modules',
    file: 'core/src/kernel/http/body.ts',
    find: '  app.removeAllContentTypeParsers()\n  if (route.raw',
    replace: "  app.removeContentTypeParser(['application/json', 'text/plain'])\n  if (route.raw",
    tests: ['core/test/fastify-setup.test.ts'],
  },
  {
    guard: 'What a plugin on Fastify says in an error is told to nobody',
    file: 'core/src/kernel/http/build.ts',
    find: '  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, problemOf(error, request)))\n',
    replace: '',
    tests: ['core/test/fastify-setup.test.ts'],
  },
  {
    guard: 'No page of another site signs anybody in by a cookie',
    file: MODE,
    find: '  requireOwnPage(ctx)\n  const answer',
    replace: '  const answer',
    tests: [COOKIE],
  },
  {
    guard: 'No page of another site signs anybody out by a cookie',
    file: MODE,
    find: "  if (mode === 'cookie') requireOwnPage(ctx)\n",
    replace: '',
    tests: [COOKIE],
  },
  {
    guard: 'A refresh token in a cookie is not in the answer as well',
    file: MODE,
    find: 'new Answer(status, rest as T,',
    replace: 'new Answer(status, answer,',
    tests: [COOKIE],
  },
  {
    guard: 'A session in a cookie that did not need https is none where PUBLIC_URL is https',
    file: MODE,
    find: 'const cookie = cookies[nameFor(config.http.publicUrl)]',
    replace: 'const cookie = cookies[SECURE_NAME] ?? cookies[PLAIN_NAME]',
    tests: [COOKIE],
  },
  {
    guard: 'A token in the body and one in a cookie are never taken together',
    file: MODE,
    find: 'if (refresh_token !== undefined && (isCookieMode || cookie !== undefined))',
    replace: 'if (refresh_token !== undefined && isCookieMode)',
    tests: [COOKIE],
  },
  {
    guard: 'A refresh reaches no tenant that is not the person’s',
    file: 'core/src/modules/auth/refreshing.ts',
    find: "  if (admission === 'not_member')\n    throw",
    replace: "  if (admission === 'not_member' && ctx.tenant === row.scope_tenant_id)\n    throw",
    tests: [COOKIE],
  },
  {
    guard: 'A session that comes into a tenant by a refresh is on record there',
    file: 'core/src/modules/auth/refreshing.ts',
    find: '  if (ctx.tenant !== row.scope_tenant_id) await enterOnce(ctx, holder)\n',
    replace: '',
    tests: [COOKIE],
  },
  {
    guard: 'Nobody registers where registration is closed',
    file: 'core/src/modules/auth/registering.ts',
    find: "  if (ctx.config.registration === 'closed') throw registrationClosed()\n",
    replace: '',
    tests: [CLOSED],
  },
  {
    guard: 'Nobody but a super admin founds a tenant where registration is closed',
    file: 'core/src/modules/tenants/founding.ts',
    find: "if (ctx.config.registration === 'closed' && !ctx.superAdmin)",
    replace: "if (ctx.config.registration === 'closed' && ctx.superAdmin)",
    tests: [CLOSED],
  },
]
