import type { Plant } from './plant.ts'

const LOG = 'core/src/modules/mail/log.test.ts'
const MAIL = 'core/src/modules/mail'
const REPORTS = 'core/src/modules/mail/reports/reports.test.ts'
const FAILURES = `${MAIL}/failures.test.ts`

/** Mails: what leaves, how often, to whom, and who hears of it. */
export const plants: Plant[] = [
  {
    guard: 'Five mails of a kind that anybody can cause go to an address in an hour',
    file: `${MAIL}/pauses.ts`,
    find: '{ max: 5, windowMs: 1 * HOURS }',
    replace: '{ max: 50, windowMs: 1 * HOURS }',
    tests: ['core/src/modules/auth/recovery/flood.test.ts'],
  },
  {
    guard: 'Twenty of them go there in a day',
    file: `${MAIL}/pauses.ts`,
    find: '{ max: 20, windowMs: 1 * DAYS }',
    replace: '{ max: 200, windowMs: 1 * DAYS }',
    tests: [LOG],
  },
  {
    guard: 'A mail that waits for its turn asks for it before it leaves',
    file: `${MAIL}/attempts.ts`,
    find: '  if (row.waits_turn) {\n',
    replace: '  if (row.waits_turn && row.attempts > 99) {\n',
    tests: [LOG],
  },
  {
    guard: 'What a mail server answers carries no token of the mail into the log',
    file: `${MAIL}/replies.ts`,
    find: 'part.length >= TOKEN_LENGTH &&',
    replace: 'part.length >= 99 &&',
    tests: [LOG],
  },
  {
    guard: 'A mail whose link is void does not leave',
    file: `${MAIL}/attempts.ts`,
    find: 'return mail.stillGood === null ||',
    replace: 'return mail.stillGood !== undefined ||',
    tests: [LOG],
  },
  {
    guard: 'One copy of a mail waits, however many ask',
    file: `${MAIL}/log.ts`,
    find: 'resend_of: before.resend_of ?? id }',
    replace: 'resend_of: copy.id }',
    tests: [LOG],
  },
  {
    guard: 'A mail that is just being sent cannot be canceled',
    file: `${MAIL}/log.ts`,
    find: 'if (before.claimed_by !== null) throw',
    replace: 'if (before.claimed_by === id) throw',
    tests: [LOG],
  },
  {
    guard: 'Five mails an hour go to a mailbox, whatever stands behind the sign +',
    file: `${MAIL}/pauses.ts`,
    find: "comparable(to).replace(/(?<=.)\\+[^@]*(?=@[^@]*$)/, '')",
    replace: 'comparable(to)',
    tests: [`${MAIL}/pauses.test.ts`],
  },
  {
    guard: 'A mail that its recipient has switched off since does not leave',
    file: `${MAIL}/attempts.ts`,
    find: '|| (await isUnwanted(ctx, row)))',
    replace: '|| (await isUnwanted(ctx, { ...row, unsubscribe_kind: null })))',
    tests: ['core/src/modules/mail-domains/unsubscribe.test.ts'],
  },
  {
    guard: 'A mail that its recipient has switched off is not sent once more',
    file: `${MAIL}/log.ts`,
    find: 'if (await isUnwanted(ctx, row))',
    replace: 'if (await isUnwanted(ctx, { ...row, unsubscribe_kind: null }))',
    tests: ['core/src/modules/mail-domains/unsubscribe.test.ts'],
  },
  {
    guard: 'A mail that warns somebody cannot be canceled',
    file: `${MAIL}/log.ts`,
    find: 'mail?.security === true && mail.stillGood === null',
    replace: 'mail?.security === true && mail.stillGood === undefined',
    tests: [LOG],
  },
  {
    guard: 'What a stranger wrote keeps no other tenant from an address',
    file: `${MAIL}/reports/apply.ts`,
    find: "if (source === 'provider' ||",
    replace: 'if (source !== undefined ||',
    tests: [REPORTS],
  },
  {
    guard: 'Of a mail that came back only the beginning is read',
    file: `${MAIL}/reports/delivery-status.ts`,
    find: 'lines < MAX_LINES',
    replace: 'lines < raw.length',
    tests: [REPORTS],
  },
  {
    guard: 'A tenant is told of a dead address what its own mail would have been told',
    file: `${MAIL}/suppressions.ts`,
    find: 'await recordBounce(ctx, { id, address }, dead.server_reply)',
    replace:
      "await recordBounce(ctx, { id: id.replace(/.$/, (last) => (last === '0' ? '1' : '0')), address }, dead.server_reply)",
    tests: [LOG],
  },
  {
    guard: 'A refusal that says nothing of the mailbox suppresses nobody',
    file: `${MAIL}/replies.ts`,
    find: "return command === 'RCPT TO' && !status?.startsWith('5.7.') ? 'bounced' : 'refused'",
    replace: "return command === 'RCPT TO' && !status?.startsWith('5.7.') ? 'dead' : 'refused'",
    tests: [LOG],
  },
  {
    guard: 'A report counts only with a mark that we have made',
    file: `${MAIL}/message-id.ts`,
    find: 'some((key) => equalSecrets(mac, macOf(key, named)))',
    replace: 'some((key) => macOf(key, named).length === mac.length)',
    tests: [REPORTS],
  },
  {
    guard: 'A report puts no other address on a list than the mail went to',
    file: `${MAIL}/reports/apply.ts`,
    find: 'return normalizeEmail(recipient) === row.address',
    replace: 'return normalizeEmail(recipient) !== undefined',
    tests: [REPORTS],
  },
  {
    guard: 'Reports are signed, and not long ago',
    file: 'core/src/kernel/outbound/signing.ts',
    find: '|| Math.abs(ms - Number(timestamp) * SECONDS) > TOLERANCE_MS',
    replace: '',
    tests: [REPORTS],
  },
  {
    guard: 'A complaint keeps no mail for security',
    file: `${MAIL}/suppressions.ts`,
    find: 'if (!listed || !security) return listed',
    replace: 'if (!listed || listed.id) return listed',
    tests: [REPORTS],
  },
  {
    guard: 'What mails say is kept for a week',
    file: `${MAIL}/retention.ts`,
    find: 'await updateMailsEmptied(tx, tenantId, forgotten)',
    replace: 'void updateMailsEmptied',
    tests: [LOG],
  },
  {
    guard: 'A mail server that says a word now and then keeps nobody for ever',
    file: `${MAIL}/transport.ts`,
    find: 'setTimeout(() => deadline.abort(), mailMs)',
    replace: 'setTimeout(() => deadline.abort(), mailMs * 1e4)',
    tests: [FAILURES],
  },
  {
    guard: 'A mail server that is gone is not waited for by each mail',
    file: `${MAIL}/transport.ts`,
    find: 'if (isGone) awayUntil =',
    replace: 'if (!failure) awayUntil =',
    tests: [FAILURES],
  },
  {
    guard: 'Who has lost a mail to another process writes nothing down of it',
    file: `${MAIL}/queries.ts`,
    find: "    .where('claimed_by', '=', claim)\n",
    replace: '',
    tests: [`${MAIL}/together.test.ts`],
  },
  {
    guard: 'A mail of which its module cannot say whether it is of use is not left waiting for good',
    file: `${MAIL}/delivery.ts`,
    find: 'await ctx.transaction((inner) => putOff(inner, id, error))',
    replace: 'throw error',
    tests: [`${MAIL}/together.test.ts`],
  },
]
