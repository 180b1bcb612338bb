import type { Plant } from './plant.ts'

const DOMAINS = 'core/src/modules/mail-domains'
const MAIL = 'core/src/modules/mail'
const sending = [`${DOMAINS}/sending.test.ts`]
const ownership = [`${DOMAINS}/mail-domains.test.ts`]
const unsubscribe = [`${DOMAINS}/unsubscribe.test.ts`]
const headers = { file: `${MAIL}/headers.ts`, tests: [`${MAIL}/headers.test.ts`] }

export const plants: Plant[] = [
  {
    guard: 'No mail comes from a domain whose DNS is not right any more',
    file: `${DOMAINS}/queries.ts`,
    find: "    .where('d.status', '=', sql.lit('verified'))\n",
    replace: '',
    tests: sending,
  },
  {
    guard: 'No mail comes from a domain that another tenant has proven since',
    file: `${DOMAINS}/queries.ts`,
    find: ".onRef('c.tenant_id', '=', 'd.tenant_id')",
    replace: '',
    tests: ownership,
  },
  {
    guard: 'A domain whose record still stands in DNS is taken from no tenant',
    file: `${DOMAINS}/queries.ts`,
    find: "eb.not(eb('mail_domain_claims.challenge_hash', 'in', shown))",
    replace: 'eb.lit(true)',
    tests: ownership,
  },
  {
    guard: 'Nobody has a domain without the record that proves it',
    file: `${DOMAINS}/judge.ts`,
    find: "if (isGone(seen.verification)) return { ...said, problem: 'not_proven' }",
    replace: "if (isGone(seen.verification) && key === 'found') return { ...said, problem: null }",
    tests: sending,
  },
  {
    guard: 'The next key of a domain signs nothing before DNS shows it',
    file: `${DOMAINS}/judge.ts`,
    find: "`] !== 'found') return { signing",
    replace: '`] === undefined) return { signing',
    tests: sending,
  },
  {
    guard: 'Owners are told once that their domain fails',
    file: `${DOMAINS}/check.ts`,
    find: '  if (after.status === before.status) return\n',
    replace: '',
    tests: sending,
  },
  {
    guard: 'A key that cannot be opened signs nothing, and nothing comes from its domain',
    file: `${DOMAINS}/keys.ts`,
    find: '  createPrivateKey(pem)\n',
    replace: '',
    tests: sending,
  },
  {
    guard: "No tenant takes a domain of the installation's own",
    file: `${DOMAINS}/names.ts`,
    find: 'ownNames(config).some((own) => lookAt(own).domain === registered)',
    replace: 'false',
    tests: [`${DOMAINS}/names.test.ts`],
  },
  {
    guard: 'A domain under which anybody may have one belongs to no tenant',
    file: `${DOMAINS}/names.ts`,
    find: 'if (registered === null)',
    replace: 'if (registered === undefined)',
    tests: [`${DOMAINS}/names.test.ts`],
  },
  {
    guard: "What a stranger's zone holds is bounded",
    file: 'core/src/kernel/outbound/resolve-txt.ts',
    find: 'records.slice(0, MAX_RECORDS)',
    replace: 'records',
    tests: ['core/src/kernel/outbound/resolve-txt.test.ts'],
  },
  {
    guard: 'What cannot be delivered comes back to the installation, whoever a mail comes from',
    file: headers.file,
    find: 'from: mail.bounceAddress || own.address',
    replace: 'from: mail.bounceAddress || sender?.from?.address || own.address',
    tests: headers.tests,
  },
  {
    guard: 'Both headers by which a mail is ended are signed',
    ...headers,
    find: "  'List-Unsubscribe-Post',\n",
    replace: '',
  },
  {
    guard: 'A reply-to that is no plain address is left out',
    ...headers,
    find: 'replyTo && isPlain(replyTo)',
    replace: 'replyTo',
  },
  {
    guard: 'A mail is ended by a link of ours alone',
    file: `${MAIL}/unsubscribe/tokens.ts`,
    find: '!secrets.deriveAll(PURPOSE).some((key) => equalSecrets(sign(key, content), mac))',
    replace: 'false',
    tests: unsubscribe,
  },
  {
    guard: 'A digest offers its own end',
    file: 'core/src/modules/notifications/delivery/sends.ts',
    find: 'fromName, unsubscribe, data',
    replace: 'fromName, data',
    tests: ['core/src/modules/notifications/preferences/preferences.test.ts'],
  },
  {
    guard: 'Who ends digests goes on getting mails of all that did not come in them',
    file: 'core/src/modules/notifications/preferences/unsubscribe.ts',
    find: ' && isIn(preferences?.kinds[kind.kind])',
    replace: '',
    tests: ['core/src/modules/notifications/preferences/preferences.test.ts'],
  },
  {
    guard: 'A program that tries out the addresses of a mail ends nothing',
    file: `${MAIL}/unsubscribe/routes.ts`,
    find: '!ONE_CLICK.every((word) => raw.includes(word))',
    replace: 'false',
    tests: unsubscribe,
  },
]
