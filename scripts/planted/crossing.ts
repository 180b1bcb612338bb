import type { Plant } from './plant.ts'

const PARTS = 'core/test/request-parts.test.ts'
const CORS = 'core/test/cors.test.ts'
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
    file: 'core/src/kernel/http/build.ts',
    find: 'request.routeOptions.config.route?.cookies !== undefined)',
    replace: 'true)',
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
]
