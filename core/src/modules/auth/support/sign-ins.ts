import {
  Closed,
  type Ctx,
  DAYS,
  Described,
  defineSupport,
  fromNow,
  Nullable,
  OneOf,
  SUPPORT_SHOWN,
  type SupportSubject,
  shownOf,
  Timestamp,
  Type,
} from '#kernel'
import { listRefusals } from '../refusals/refusal-queries.ts'
import { REFUSALS, REFUSALS_KEPT_MS, type Refusal } from '../refusals/refusals.ts'
import { accountKey, listLockouts } from '../sign-in/lockout.ts'
import { findLastProofs } from './account-queries.ts'

/** What is longer ago is hardly what somebody writes about now. */
const FRESH_MS = 3 * DAYS

const Refused = Closed({
  reason: OneOf(REFUSALS, {
    description:
      '`no_password`: they were invited and have never chosen one; `locked_out`: too many had failed; `not_a_member`: of the tenant that they asked for; `rate_limited`: too many in a minute; `link_…`: of the mails that prove an address or give a new password',
  }),
  attempts: Type.Integer({ description: 'How often in a row, with less than a day between' }),
  first_at: Described(Timestamp, 'When first'),
  last_at: Described(Timestamp, 'When last'),
  device: Nullable(Type.String({ description: 'What it came from', examples: ['Firefox on Linux'] })),
  ip_address: Nullable(Type.String({ description: 'Where it came from', examples: ['203.0.113.7'] })),
})
const Lockout = Closed({
  of: OneOf(['place', 'account'], {
    description: '`place`: from one network, device or session; `account`: from anywhere that it does not know',
  }),
  until: Described(Timestamp, 'When the next attempt is answered again'),
})

/** Why attempts to sign in were refused, by reason and place, and whether there is a lockout. */
export const signInsSupport = defineSupport({
  name: 'sign_ins',
  description: 'Why attempts to sign in were refused',
  roles: ['support', 'operations'],
  schema: Closed({
    refused: Type.Array(Refused, { description: 'Of the last 14 days, the newest first; of a reason and a place one' }),
    lockouts: Type.Array(Lockout, { description: 'Those that are in force now' }),
  }),
  causes: {
    locked_out: {
      severity: 'high',
      likelihood: 92,
      do: 'They wait until the lockout ends, or choose a new password by the link of “forgotten password”, which ends it at once.',
    },
    wrong_password: {
      severity: 'high',
      likelihood: 85,
      do: 'They choose a new password by the link of “forgotten password”. Somebody else may have tried: compare place and device with theirs.',
    },
    link_expired: {
      severity: 'high',
      likelihood: 83,
      do: 'They ask for a new link: one for a new password is good for an hour, one that proves an address for a day.',
    },
    link_used: {
      severity: 'medium',
      likelihood: 60,
      do: 'Each link works once, and a newer one replaces it. What it was for is done, or they ask for a new one.',
    },
    not_a_member: {
      severity: 'high',
      likelihood: 74,
      do: 'They asked to sign in to a tenant that is not theirs: they leave the choice out, or are invited there.',
    },
    sign_in_limited: {
      severity: 'high',
      likelihood: 84,
      do: 'They wait a minute: five attempts in a minute are answered for one account from one place.',
    },
  },
  async read(ctx, subject) {
    const { refusals, lockouts, proofs } = await readAll(ctx, subject)
    const { rows, leftOut } = shownOf(refusals)
    const refused = rows.map((row) => ({ ...row, reason: row.reason as Refusal })) // nothing else is written there
    return {
      shown: { refused, lockouts },
      findings: [...locked(lockouts), ...refusedSince(ctx, refused, proofs)],
      leftOut,
    }
  },
})

async function readAll(ctx: Ctx, { email, userId }: SupportSubject) {
  const { tx, clock } = ctx
  const since = fromNow(clock, -REFUSALS_KEPT_MS)
  const [refusals, all, proofs] = await Promise.all([
    listRefusals(tx, accountKey(email), since, SUPPORT_SHOWN + 1),
    listLockouts(ctx, email),
    userId === null ? undefined : findLastProofs(tx, userId),
  ])
  // Guesses from many places lock out many: the one that lasts longest tells.
  const lockouts = all.sort((a, b) => (a.until < b.until ? 1 : -1)).slice(0, 3)
  return { refusals, lockouts, proofs }
}

type Known = Awaited<ReturnType<typeof readAll>>

const locked = ([lockout]: Known['lockouts']) =>
  lockout === undefined
    ? []
    : [
        {
          code: 'locked_out' as const, // as declared above
          tenantId: null,
          what: `Too many attempts have failed: ${lockout.of === 'account' ? 'no place that it does not know' : 'one place'} is let in before ${lockout.until}.`,
          at: lockout.until,
        },
      ]

/** Reasons that other sections do not find by what they see. */
const CODES = {
  wrong_password: 'wrong_password',
  link_expired: 'link_expired',
  link_used: 'link_used',
  not_a_member: 'not_a_member',
  rate_limited: 'sign_in_limited',
} as const satisfies Partial<Record<Refusal, string>>

const isTold = (reason: Refusal): reason is keyof typeof CODES => Object.hasOwn(CODES, reason)

/** Once they have signed in, or done what the link or the password was for, what refused them before is over. */
function settledAt(reason: Refusal, { last_login_at, changed_at, email_verified_at }: NonNullable<Known['proofs']>) {
  const proofs = [last_login_at]
  if (reason === 'wrong_password') proofs.push(changed_at)
  if (reason === 'link_expired' || reason === 'link_used') proofs.push(changed_at, email_verified_at)
  return (
    proofs
      .filter((at) => at !== null)
      .sort()
      .at(-1) ?? ''
  )
}

function refusedSince(
  { clock }: Ctx,
  refused: readonly { reason: Refusal; attempts: number; last_at: string }[],
  proofs: Known['proofs'],
) {
  const since = fromNow(clock, -FRESH_MS)
  const open = refused.filter(
    ({ reason, last_at }) => last_at > since && last_at > (proofs ? settledAt(reason, proofs) : ''),
  )
  return [...Map.groupBy(open, ({ reason }) => reason)].flatMap(([reason, rows]) => {
    const attempts = rows.reduce((sum, row) => sum + row.attempts, 0)
    const at = rows[0]?.last_at ?? null
    const what = `${attempts} ${attempts === 1 ? 'attempt was' : 'attempts were'} refused for this (${reason}), the last one at ${at}, and none has succeeded since.`
    return isTold(reason) ? [{ code: CODES[reason], tenantId: null, what, at }] : []
  })
}
