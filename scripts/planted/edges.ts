import type { Plant } from './plant.ts'

/** What goes in and out at the edges of a request, whoever wrote it: plugins, handlers, clients. */
export const plants: readonly Plant[] = [
  {
    guard: 'What an outside service refuses to a handler is no refusal by a plugin',
    file: 'core/src/kernel/http/build.ts',
    find: "return isHandled || code?.startsWith('FST_')",
    replace: "return code?.startsWith('FST_')",
    tests: ['core/test/fastify-setup.test.ts'],
  },
  {
    guard: 'A hook that a plugin hangs on a route takes no header away from its answers',
    file: 'core/src/kernel/http/build.ts',
    find: '[route.onSend ?? [], hold].flat()',
    replace: '[hold, route.onSend ?? []].flat()',
    tests: ['core/test/fastify-setup.test.ts'],
  },
  {
    guard: 'No route sets a header that the kernel keeps',
    file: 'core/src/kernel/http/answer-headers.ts',
    find: 'if (isKeptHeader(name))',
    replace: 'if (false)',
    tests: ['core/test/answer-headers.test.ts'],
  },
  {
    guard: 'A header that HTTP cannot carry is a failure of ours, told as a problem',
    file: 'core/src/kernel/http/answer-headers.ts',
    find: '  validateHeaderValue(name, value)\n',
    replace: '',
    tests: ['core/test/answer-headers.test.ts'],
  },
  {
    guard: 'Caches are told that an answer hangs on cookies',
    file: 'core/src/kernel/http/answer-headers.ts',
    find: "mergeVary(headers.vary, 'Cookie')",
    replace: "headers.vary ?? ''",
    tests: ['core/test/answer-headers.test.ts'],
  },
  {
    guard: 'A cookie brings in no text that cannot be stored',
    file: 'core/src/kernel/http/declared.ts',
    find: "unstorable(values, 'cookies'), ",
    replace: '',
    tests: ['core/test/request-parts.test.ts'],
  },
  {
    guard: 'Raw JSON brings in nothing that could change a prototype',
    file: 'core/src/kernel/http/json-text.ts',
    find: ' && reachesPrototype(value)) throw notJson()',
    replace: ' && value === undefined) throw notJson()',
    tests: ['core/src/kernel/http/json-text.test.ts'],
  },
  {
    guard: "A person's settings are read in their own tenants alone",
    file: 'core/src/modules/users/queries.ts',
    find: "    .where('user_tenants.tenant_id', '=', tenantId)\n",
    replace: '',
    tests: ['core/test/settings.test.ts'],
  },
  {
    guard: 'An origin is refused that browsers write in another way',
    file: 'core/src/kernel/config/kinds.ts',
    find: 'if (!isWrittenAs(item, parsed))',
    replace: 'if (item === parsed.hostname)',
    tests: ['core/src/kernel/config/kinds.test.ts'],
  },
]
