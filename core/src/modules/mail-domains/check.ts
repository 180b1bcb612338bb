import { type Ctx, defineJob, every, everyTenant, least, systemActor, Type } from '#kernel'
import { mailDomainConfiguration } from './configuration.ts'
import { type Found, hashOfChallenge, lookUp, mailDns } from './dns.ts'
import { mailDomainFailing, mailDomainKeyRotated, mailDomainUpdated, mailDomainVerified } from './events.ts'
import { isGone, judge, nextCheck, type Verdict } from './judge.ts'
import { columnsOfKey, type KeyPair, newKeyPair, resealed } from './keys.ts'
import { recordDomain } from './present.ts'
import {
  type DomainChange,
  deleteClaims,
  findDomain,
  listTenantsDue,
  lockDomain,
  updateDomain,
  upsertClaim,
} from './queries.ts'
import { otherSlot, wantedRecords } from './records.ts'
import type { DomainRow } from './table.ts'

/**
 * Asks DNS about the tenant's domain and stores what follows from it. No transaction may be open. Undefined when the
 * tenant has none.
 */
export async function checkDomain(ctx: Ctx): Promise<DomainRow | undefined> {
  const row = await ctx.transaction(({ tx, tenantId }) => findDomain(tx, tenantId), { readOnly: true })
  if (!row) return undefined
  const askedAt = ctx.clock.now()
  const { MAIL_SPF_INCLUDE } = ctx.config.of(mailDomainConfiguration)
  const found = await lookUp(ctx.use(mailDns), wantedRecords(row, MAIL_SPF_INCLUDE))
  const fresh = isRetired(row, askedAt) ? await newKeyPair() : null
  return ctx.transaction((inner) => noteCheck(inner, { row, askedAt, found, fresh }))
}

/** The tenant's domain, looked at. */
export const checkTenantDomain = defineJob('mail_domains.check', {
  payload: Type.Object({}),
  transaction: 'manual',
  outbound: true,
  handler: async (ctx) => {
    await checkDomain(ctx.as(systemActor))
  },
})

/** Enqueues a look at every domain that is due. */
export const findDueDomains = every('*/5 * * * *', 'mail_domains.find_due', (ctx) =>
  everyTenant(ctx, {
    name: 'mail_domains.find_due',
    list: (tx, page) => listTenantsDue(tx, { ...page, now: ctx.clock.now() }),
    work: (ctx) => ctx.enqueue(checkTenantDomain, {}, { dedupeKey: checkTenantDomain.name }),
  }),
)

interface Check {
  /** The domain as it was when DNS was asked. */
  row: DomainRow
  askedAt: string
  found: Found
  /** In place of the key that has retired. */
  fresh: KeyPair | null
}

async function noteCheck(ctx: Ctx, { row, askedAt, found, fresh }: Check): Promise<DomainRow | undefined> {
  const before = await lockDomain(ctx.tx, ctx.tenantId)
  if (!before || !isStill(before, row) || (before.checked_at !== null && before.checked_at > askedAt)) return before
  const { problem, ...verdict } = await settle(ctx, before, found)
  const status = problem === null ? 'verified' : before.status === 'pending' ? 'pending' : 'failing'
  const renewed = fresh && isRetired(before, askedAt) ? renewKey(ctx, before, fresh) : null
  const retires_at = renewed ? null : verdict.retires_at
  const isChanged = status !== before.status || verdict.signing !== before.signing || renewed !== null
  const change: DomainChange = {
    ...resealed(ctx, before),
    ...verdict,
    ...renewed,
    status,
    problem,
    retires_at,
    seen: { ...found.seen, ...(renewed && { [`dkim_${otherSlot(before.signing)}`]: undefined }) },
    checked_at: askedAt,
    verified_at: status === 'verified' ? (before.verified_at ?? ctx.clock.now()) : null,
    updated_at: isChanged ? ctx.clock.now() : before.updated_at,
  }
  const next = nextCheck({ ...before, ...change, updated_at: change.updated_at ?? before.updated_at }, ctx.clock)
  const next_check_at = next !== null && retires_at !== null ? least(next, retires_at) : next
  const after = await updateDomain(ctx.tx, before, { ...change, next_check_at })
  await tellWhatChanged(ctx, before, after)
  return after
}

/** The verdict, in which the tenant also has the domain to itself. */
async function settle(ctx: Ctx, row: DomainRow, { seen, shown }: Found): Promise<Verdict> {
  const { tx, tenantId, clock } = ctx
  const verdict = judge(row, seen, clock)
  // Whoever proves that it is theirs may have it from now on.
  if (isGone(seen.verification)) await deleteClaims(tx, tenantId)
  if (verdict.problem !== null || seen.verification !== 'found') return verdict
  const challenge_hash = hashOfChallenge(row.challenge)
  const claim = { domain: row.domain, tenant_id: tenantId, challenge_hash, claimed_at: clock.now() }
  return (await upsertClaim(tx, claim, shown)) ? verdict : { ...verdict, problem: 'taken' }
}

function renewKey(ctx: Ctx, row: DomainRow, pair: KeyPair) {
  return columnsOfKey(ctx, row.id, otherSlot(row.signing), pair)
}

const isRetired = ({ retires_at }: DomainRow, now: string) => retires_at !== null && retires_at <= now

/** Whether it is the same domain with the same keys as DNS was asked about. */
const isStill = (now: DomainRow, asked: DomainRow) =>
  now.challenge === asked.challenge && now.public_1 === asked.public_1 && now.public_2 === asked.public_2

async function tellWhatChanged(ctx: Ctx, before: DomainRow, after: DomainRow): Promise<void> {
  const record = { before: recordDomain(before), after: recordDomain(after), label: after.domain }
  if (after.signing !== before.signing) await ctx.emit(mailDomainKeyRotated, record)
  if (before.retires_at !== null && after.retires_at === null) await ctx.emit(mailDomainUpdated, record)
  if (after.status === before.status) return
  if (after.status === 'verified') await ctx.emit(mailDomainVerified, record)
  else await ctx.emit(mailDomainFailing, record)
}
