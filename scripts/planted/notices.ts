import type { Plant } from './plant.ts'

const NOTICES = 'core/src/modules/notifications'
const list = [`${NOTICES}/notifications.test.ts`]
const badge = [`${NOTICES}/badge.test.ts`]
const preferences = [`${NOTICES}/preferences/preferences.test.ts`]
const audience = [`${NOTICES}/delivery/audience.test.ts`]
const upkeep = [`${NOTICES}/upkeep/upkeep.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'A notification takes the place of one of its own kind alone',
    file: `${NOTICES}/delivery/tell.ts`,
    find: 'sha256([kind, groupKey(',
    replace: 'sha256([groupKey(',
    tests: preferences,
  },
  {
    guard: 'Whoever makes the same happen again and again fills no mailbox',
    file: `${NOTICES}/delivery/mail-now.ts`,
    find: 'kind.groupKey ? ONCE_IN_MINUTES',
    replace: 'kind.groupKey ? 0',
    tests: [`${NOTICES}/kinds.test.ts`],
  },
  {
    guard: 'No action of a notification runs anything',
    file: `${NOTICES}/texts.ts`,
    find: 'url && /^https?:$/.test(url.protocol)',
    replace: 'url',
    tests: preferences,
  },
  {
    guard: 'No action of a notification leads out of the application by a path',
    file: `${NOTICES}/texts.ts`,
    find: '/^\\/(?![/\\\\])/.test(route)',
    replace: "route.startsWith('/')",
    tests: preferences,
  },
  {
    guard: 'Nobody sees what another person of the same tenant was told',
    file: `${NOTICES}/queries.ts`,
    find: "    .where('user_id', '=', id)\n    .where('seq', '>', hidden_to)",
    replace: "    .where('seq', '>', hidden_to)",
    tests: list,
  },
  {
    guard: 'Whatever changes the count of unread notifications holds the row of the person first',
    file: `${NOTICES}/queries.ts`,
    find: "    .where('id', '=', userId)\n    .forUpdate()",
    replace: "    .where('id', '=', userId)",
    tests: badge,
  },
  {
    guard: 'A notification takes the place of an unread one of the same key in the count too',
    file: `${NOTICES}/delivery/tell.ts`,
    find: 'await updateUnreadLess(tx, tenant_id, new Map([...lost].map(([id, of]) => [id, of.length])), now)',
    replace: 'void lost',
    tests: badge,
  },
  {
    guard: 'What has expired is not counted, before it is removed either',
    file: `${NOTICES}/unread.ts`,
    find: 'counts.unread - (await countExpired(ctx.tx, counts, now))',
    replace: 'counts.unread - 0 * (await countExpired(ctx.tx, counts, now))',
    tests: upkeep,
  },
  {
    guard: 'A person is told the same thing once, however often a job runs',
    file: `${NOTICES}/delivery/tell.ts`,
    find: 'id === undefined || known.has(id)',
    replace: 'id === undefined',
    tests: list,
  },
  {
    guard: 'What concerns security cannot be switched off',
    file: `${NOTICES}/preferences/preferences.ts`,
    find: '!wish && isFixed(kind, channel)',
    replace: 'false',
    tests: preferences,
  },
  {
    guard: 'Quiet hours do not hold back what concerns security',
    file: `${NOTICES}/delivery/ways.ts`,
    find: 'kind.security ? null : ',
    replace: '',
    tests: preferences,
  },
  {
    guard: 'Preferences name no kind that cannot reach the person',
    file: `${NOTICES}/preferences/choices.ts`,
    find: 'ctx.storesWith(kind.audience.permission)?.length === 0',
    replace: 'false',
    tests: preferences,
  },
  {
    guard: 'Whoever comes back to a tenant finds nothing of before',
    file: `${NOTICES}/upkeep/leaving.ts`,
    find: 'hidden_to: to,',
    replace: 'hidden_to: counts.hidden_to,',
    tests: upkeep,
  },
  {
    guard: 'Who is disabled in a tenant is told nothing of it',
    file: `${NOTICES}/queries.ts`,
    find: "    .where('m.status', '=', 'active')\n",
    replace: '',
    tests: audience,
  },
  {
    guard: 'What is about one store is told to whoever holds the permission there or everywhere',
    file: `${NOTICES}/queries.ts`,
    find: 'or (a.store_id = ',
    replace: 'or (true or a.store_id = ',
    tests: audience,
  },
  {
    guard: 'What concerns a person reaches them also where they are not active any more',
    file: `${NOTICES}/delivery/fan-out.ts`,
    find: '    if (!told.has(user_id)) await',
    replace: '    if (!told.has(user_id) && false) await',
    tests: audience,
  },
  {
    guard: 'No kind of notification starts that nobody could read',
    file: 'core/src/kernel/registry.ts',
    find: '  problems.push(...problemsOfTelling(modules, { messages, mails }))\n',
    replace: '',
    tests: ['core/src/kernel/registry-notifications.test.ts'],
  },
  {
    guard: 'A mail that cannot be written keeps nobody from their list, and is not lost',
    file: 'core/src/modules/notifications/delivery/tell.ts',
    find: 'unmailed.add(id)',
    replace: '',
    tests: ['core/src/modules/notifications/delivery/unwritten-mail.test.ts'],
  },
]
