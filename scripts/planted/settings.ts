import type { Plant } from './plant.ts'

const CONFIG = ['core/src/kernel/config/config.test.ts']
const RULES = 'core/src/kernel/config/rules.ts'
const ENV_FILE = { file: 'core/src/cli/env-file.ts', tests: ['core/src/cli/env-file.test.ts'] }
const PROMISES = ['core/src/modules/members/invitation-roles.test.ts']
const NAMES = ['core/test/names.test.ts']

/** What a start and the doctor look at, and what is kept in one form. */
export const plants: Plant[] = [
  {
    guard: 'Production does not start where mails would reach nobody',
    file: RULES,
    find: "if (!given.has('SMTP_URL') && env.MAIL === 'on') {",
    replace: "if (!given.has('SMTP_URL') && env.MAIL === undefined) {",
    tests: CONFIG,
  },
  {
    guard: 'Production does not start on a weak APP_SECRET',
    file: RULES,
    find: 'else if (env.APP_SECRET) problems.push(',
    replace: "else if (env.APP_SECRET === '') problems.push(",
    tests: CONFIG,
  },
  {
    guard: 'Production does not start on a bootstrap token that can be guessed',
    file: RULES,
    find: 'if (env.BOOTSTRAP_TOKEN && !isVaried(env.BOOTSTRAP_TOKEN)) {',
    replace: "if (env.BOOTSTRAP_TOKEN === '') {",
    tests: CONFIG,
  },
  {
    guard: 'Browsers that came by https are told to come by it always',
    file: 'core/src/kernel/http/headers.ts',
    find: "http.publicUrl.startsWith('https:') ?",
    replace: "http.publicUrl.startsWith('wss:') ?",
    tests: ['core/test/http-edges.test.ts'],
  },
  {
    guard: 'A schedule that is overdue is an alarm in the readiness of who works',
    file: 'core/src/kernel/health.ts',
    find: "            attempt(core, 'schedules', () => within(PATIENCE_MS, checkSchedules(core))),\n",
    replace: '',
    tests: ['core/test/wrong-clock.test.ts'],
  },
  {
    guard: 'An .env in UTF-16 is refused, not passed over',
    ...ENV_FILE,
    find: 'if (isWide || bytes.includes(0))',
    replace: 'if (isWide && bytes.length === 0)',
  },
  {
    guard: 'A byte order mark hides no line of .env',
    ...ENV_FILE,
    find: "return new TextDecoder('utf-8', { fatal: true }).decode(bytes)",
    replace: "return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)",
  },
  {
    guard: 'An invitation gives no role in a store that is closed or gone',
    file: 'core/src/modules/members/invitation-roles.ts',
    find: '  return isOpen(sender, store_id)\n',
    replace: '  return true\n',
    tests: PROMISES,
  },
  {
    guard: 'An invitation to a store that is deleted is taken back, and its sender told',
    file: 'core/src/modules/members/review-invitations.ts',
    find: 'on(storeDeleted, NAME, async (ctx, { resourceId }) => {\n    if (resourceId)',
    replace: "on(storeDeleted, NAME, async (ctx, { resourceId }) => {\n    if (resourceId === '')",
    tests: PROMISES,
  },
  {
    guard: 'Who loses their rights while they invite leaves no invitation behind',
    file: 'core/src/modules/members/invitation-roles.ts',
    find: "  if ((await lockMember(ctx.tx, ctx.tenantId, userId))?.status !== 'active') throw refused()\n",
    replace: '',
    tests: PROMISES,
  },
  {
    guard: 'An expired invitation takes no place in the plan',
    file: 'core/src/modules/members/index.ts',
    find: ", until: 'seat_ends_at' }",
    replace: ' }',
    tests: ['core/src/modules/auth/sign-in/seats.test.ts'],
  },
  {
    guard: 'The doctor tells what APP_SECRET does not open',
    file: 'core/src/cli/seals.ts',
    find: '(opened) => opened.some((isOpen) => !isOpen)',
    replace: '(opened) => opened.length < 0',
    tests: ['core/src/cli/seals.test.ts'],
  },
  {
    guard: 'No process serves or works on a kept secret that opens nothing',
    file: 'core/src/cli/seals.ts',
    find: 'opened.length > 0 && !opened.includes(true)',
    replace: 'opened.length < 0 && !opened.includes(true)',
    tests: ['core/src/cli/seals.test.ts'],
  },
  {
    guard: 'The doctor tells what keeps a server from serving',
    file: 'core/src/cli/doctor-looks.ts',
    find: "  yield look('serving', () => lookAtServing(core))\n",
    replace: '',
    tests: ['core/src/cli/doctor-looks.test.ts'],
  },
  {
    guard: 'A time zone is kept as the database spells it',
    file: 'core/src/kernel/text/places.ts',
    find: 'if (known !== undefined) return known',
    replace: 'if (known !== undefined) return name',
    tests: NAMES,
  },
  {
    guard: 'A search does not mind the blanks around its words',
    file: 'core/src/kernel/text/names.ts',
    find: "return tidyLine(text.slice(0, LONGEST).replace(/\\s+/g, ' ')) || undefined",
    replace: 'return text.slice(0, LONGEST) || undefined',
    tests: NAMES,
  },
]
