import type { Plant } from './plant.ts'

const VALIDATE = 'core/src/kernel/http/validate.ts'
const VALIDATE_TEST = 'core/src/kernel/http/validate.test.ts'
const INPUT = 'core/src/kernel/http/input.ts'
const BODY = 'core/src/kernel/http/body.ts'
const REGISTRY_TEST = 'core/test/kernel-registry.test.ts'
const FINE_PRINT = 'core/test/fine-print.test.ts'
const AT_ONCE = 'core/test/problems-at-once.test.ts'

/** What comes in: bodies, queries, names, times. */
export const plants: Plant[] = [
  {
    guard: 'What the schema refuses is refused, even where nobody can say why',
    file: VALIDATE,
    find: "  if (isEmpty) yield { pointer, detail: 'does not have the form that is asked for' }\n",
    replace: '',
    tests: [VALIDATE_TEST],
  },
  {
    guard: 'A request with a single problem is refused',
    file: INPUT,
    find: 'if (problems.length > 0) throw refusal',
    replace: 'if (problems.length > 1) throw refusal',
    tests: ['core/test/unknown-fields.test.ts'],
  },
  {
    guard: 'Fields that no schema knows are refused, however many',
    file: 'core/src/kernel/http/explain.ts',
    find: "    if (additionalProperties === false) yield { pointer: child(pointer, name), detail: 'is not a known field' }\n    else if",
    replace: '    if',
    tests: [VALIDATE_TEST],
  },
  {
    guard: 'No more problems are looked for than are told',
    file: VALIDATE,
    find: '      if (problems.length === MAX_PROBLEMS) return problems\n',
    replace: '',
    tests: [VALIDATE_TEST],
  },
  {
    guard: 'A pointer to a field with a long name is cut',
    file: VALIDATE,
    find: 'return pointer.length <= MAX_POINTER ? pointer :',
    replace: 'return pointer.length >= 0 ? pointer :',
    tests: [VALIDATE_TEST],
  },
  {
    guard: 'A query field named like a property of every object is unknown',
    file: VALIDATE,
    find: 'const values: Record<string, unknown> = Object.create(null)',
    replace: 'const values: Record<string, unknown> = {}',
    tests: [VALIDATE_TEST],
  },
  {
    guard: 'Text that the database cannot store is refused',
    file: INPUT,
    find: "  if (request.maybeUnstorable) yield* unstorable(body, '#')\n",
    replace: '',
    tests: [AT_ONCE],
  },
  {
    guard: 'No more of a body is read than its route takes',
    file: BODY,
    find: 'return body || raw ? (bodyLimit ?? USUAL_LIMIT) : NOTHING_LIMIT',
    replace: 'return body || bodyLimit || USUAL_LIMIT || NOTHING_LIMIT ? MAX_BODY_LIMIT : 0',
    tests: [FINE_PRINT],
  },
  {
    guard: 'Bodies under /auth are small',
    file: 'core/src/modules/auth/index.ts',
    find: "route.body && route.path.startsWith('/auth/') ?",
    replace: "route.body && route.path.startsWith('/nowhere/') ?",
    tests: [FINE_PRINT],
  },
  {
    guard: 'Where no body is expected, nothing but {} is taken',
    file: INPUT,
    find: "    if (!isNothing(body)) yield { pointer: '#', detail: 'no body is expected' }\n",
    replace: '    if (!isNothing(body)) return\n',
    tests: [FINE_PRINT],
  },
  {
    guard: 'A body that accepts unknown fields somewhere within it stops the start',
    file: 'core/src/kernel/registry-routes.ts',
    find: 'within.some((each) => isOpen(each, true))',
    replace: 'within.some(() => false)',
    tests: [REGISTRY_TEST],
  },
  {
    guard: 'A pattern that clients in other languages cannot read stops the start',
    file: 'core/src/kernel/registry-schemas.ts',
    find: 'const PECULIAR = /\\(\\?(?!:)/',
    replace: 'const PECULIAR = /\\(\\?=/',
    tests: [REGISTRY_TEST],
  },
  {
    guard: 'A weak password is told together with whatever else is wrong',
    file: 'core/src/modules/auth/routes-accounts.ts',
    find: "  check: newPasswordIn('password', 'email', 'name', 'tenant_name'),\n",
    replace: '',
    tests: [AT_ONCE],
  },
  {
    guard: 'What is no e-mail address is refused with the other problems of a body',
    file: 'core/src/kernel/http/forms.ts',
    find: 'fits: (text) => normalizeEmail(text) !== null,',
    replace: 'fits: (text) => normalizeEmail(text) !== undefined,',
    tests: [AT_ONCE],
  },
  {
    guard: 'Names are kept without what nobody sees',
    file: 'core/src/kernel/text/names.ts',
    find: "  return text.replace(INVISIBLE, '')",
    replace: "  return text.replace(INVISIBLE, '$&')",
    tests: ['core/test/names.test.ts'],
  },
  {
    guard: 'A name shows something',
    file: 'core/src/kernel/text/names.ts',
    find: 'return SHOWN.test(withoutInvisible(text))',
    replace: 'return SHOWN.test(withoutInvisible(text)) || true',
    tests: ['core/test/names.test.ts'],
  },
  {
    guard: 'No role has a name that would be taken for a system role',
    file: 'core/src/modules/roles/operations.ts',
    find: 'if (lookAlike !== undefined)',
    replace: "if (lookAlike !== undefined && lookAlike === '')",
    tests: ['core/src/modules/roles/roles.test.ts'],
  },
  {
    guard: 'A time that the database cannot hold is refused',
    file: 'core/src/kernel/text/moments.ts',
    find: 'return ms >= EARLIEST_MS && ms <= LATEST_MS &&',
    replace: 'return !Number.isNaN(ms) && EARLIEST_MS < LATEST_MS &&',
    tests: ['core/src/kernel/text/moments.test.ts'],
  },
  {
    guard: 'A request that nobody was identified for gets nowhere but to what is public',
    file: 'core/src/kernel/http/handle.ts',
    find: 'if (!identity) throw unauthenticated()',
    replace: 'if (!identity) return answer(core, prepared, request, reply, input)',
    tests: ['core/src/kernel/http/handle.test.ts'],
  },
  {
    guard: 'A clock that was set back lets nothing be remembered for longer',
    file: 'core/src/kernel/access/standing.ts',
    find: 'return leftMs > 0 && leftMs <= MAX_AGE_MS',
    replace: 'return leftMs > 0',
    tests: ['core/test/kernel-standing.test.ts'],
  },
]
