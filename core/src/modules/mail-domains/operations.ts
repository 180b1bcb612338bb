import { at, type Ctx, conflict, invalidRequest, normalizeEmail, notFound, randomToken, stamp } from '#kernel'
import { checkDomain } from './check.ts'
import { mailDomainCreated, mailDomainDeleted, mailDomainUpdated } from './events.ts'
import { nextCheck } from './judge.ts'
import { columnsOfKey, type KeyPair, newKeyPair } from './keys.ts'
import { readDomain } from './names.ts'
import { presentDomain, recordDomain } from './present.ts'
import { deleteClaims, deleteDomain, findDomain, getDomain, insertDomain, lockDomain, updateDomain } from './queries.ts'
import type { MailDomain, MailDomainPatch } from './schema.ts'
import type { DomainRow } from './table.ts'

/** Throws 404 when the tenant has none. */
export async function readMailDomain(ctx: Ctx): Promise<MailDomain> {
  return presentDomain(ctx, await getDomain(ctx.tx, ctx.tenantId))
}

/**
 * Names the domain that mails are to come from; another one than before begins anew, absent fields stay. No transaction may be
 * open: keys take a while to make. Throws 400, and 409 when the domain is changed at the same time.
 */
export async function setMailDomain(ctx: Ctx, patch: MailDomainPatch): Promise<MailDomain> {
  const known = await ctx.transaction(({ tx, tenantId }) => findDomain(tx, tenantId), { readOnly: true })
  const wanted = readPatch(ctx, patch, known)
  const pairs = known?.domain === wanted.domain ? null : await Promise.all([newKeyPair(), newKeyPair()])
  return ctx.transaction(async (inner) => {
    const before = await lockDomain(inner.tx, inner.tenantId)
    if (before?.domain === wanted.domain) return presentDomain(inner, await changeAddress(inner, before, wanted))
    if (!pairs) throw changedMeanwhile()
    return presentDomain(inner, await begin(inner, before, { ...wanted, pairs }))
  })
}

/** Asks DNS now. No transaction may be open. Throws 404. */
export async function verifyMailDomain(ctx: Ctx): Promise<MailDomain> {
  const row = await checkDomain(ctx)
  if (!row) throw notFound()
  return presentDomain(ctx, row)
}

/**
 * Has mails signed with the next key as soon as DNS shows it, which is asked now. No transaction may be open. Throws 404, and
 * 409 while the previous key is still kept.
 */
export async function rotateMailDomainKey(ctx: Ctx): Promise<MailDomain> {
  await ctx.transaction(async (inner) => {
    const before = await lockDomain(inner.tx, inner.tenantId)
    if (!before) throw notFound()
    if (before.retires_at !== null)
      throw conflict({ detail: `The previous key is kept for mails under way until ${before.retires_at}` })
    if (before.rotation_asked_at !== null) return
    const now = inner.clock.now()
    const asked = { rotation_asked_at: now, updated_at: now }
    const next_check_at = nextCheck({ ...before, ...asked }, inner.clock)
    const after = await updateDomain(inner.tx, before, { ...asked, next_check_at })
    await inner.emit(mailDomainUpdated, {
      before: recordDomain(before),
      after: recordDomain(after),
      label: after.domain,
    })
  })
  return verifyMailDomain(ctx)
}

/** Mails come from the address of the installation again, and the keys are forgotten. Throws 404. */
export async function removeMailDomain(ctx: Ctx): Promise<undefined> {
  const row = await deleteDomain(ctx.tx, ctx.tenantId)
  if (!row) throw notFound()
  await deleteClaims(ctx.tx, ctx.tenantId)
  await ctx.emit(mailDomainDeleted, { before: recordDomain(row), label: row.domain })
}

interface Wanted {
  domain: string
  /** Null: its no-reply. Undefined: as it was. */
  from_address: string | null | undefined
}

function readPatch({ config }: Ctx, { domain, from_address }: MailDomainPatch, known: DomainRow | undefined): Wanted {
  const wanted = domain ?? known?.domain
  if (wanted === undefined) throw invalidRequest({ errors: [at('domain', 'is required')] })
  const read = readDomain(wanted, config)
  if ('problem' in read) throw invalidRequest({ errors: [at('domain', read.problem)] })
  if (from_address === undefined || from_address === null) return { domain: read.domain, from_address }
  const address = normalizeEmail(from_address)
  if (!address?.endsWith(`@${read.domain}`))
    throw invalidRequest({ errors: [at('from_address', 'must be an address of the domain')] })
  return { domain: read.domain, from_address: address }
}

async function changeAddress(ctx: Ctx, before: DomainRow, { domain, from_address }: Wanted): Promise<DomainRow> {
  const address = from_address === undefined ? before.from_address : (from_address ?? noReplyOf(domain))
  if (address === before.from_address) return before
  const after = await updateDomain(ctx.tx, before, { from_address: address, updated_at: ctx.clock.now() })
  await ctx.emit(mailDomainUpdated, { before: recordDomain(before), after: recordDomain(after), label: domain })
  return after
}

async function begin(
  ctx: Ctx,
  before: DomainRow | undefined,
  { domain, from_address, pairs: [one, two] }: Wanted & { pairs: [KeyPair, KeyPair] },
): Promise<DomainRow> {
  const { tx, tenantId } = ctx
  const fresh = stamp(ctx)
  const row = {
    ...fresh,
    domain,
    from_address: from_address ?? noReplyOf(domain),
    challenge: randomToken(24),
    // Random, so that several installations can be used with one domain.
    selector: `m${randomToken(6)
      .toLowerCase()
      .replace(/[^a-z\d]/g, '0')}`,
    signing: 1,
    ...columnsOfKey(ctx, fresh.id, 1, one),
    ...columnsOfKey(ctx, fresh.id, 2, two),
    rotation_asked_at: null,
    retires_at: null,
    status: 'pending',
    problem: null,
    seen: {},
    checked_at: null,
    verified_at: null,
    unreachable_since: null,
  } as const // the words and the number are types
  const next_check_at = nextCheck(row, ctx.clock)
  // A new row in place of the old one: nothing of a domain that was the tenant's counts for the next one.
  if (before) await deleteDomain(tx, tenantId)
  await deleteClaims(tx, tenantId)
  const after = await insertDomain(tx, { ...row, next_check_at } as DomainRow) // both halves of each key are among its columns
  if (!after) throw changedMeanwhile()
  if (before)
    await ctx.emit(mailDomainUpdated, { before: recordDomain(before), after: recordDomain(after), label: domain })
  else await ctx.emit(mailDomainCreated, { after: recordDomain(after), label: domain })
  return after
}

const changedMeanwhile = () => conflict({ detail: 'The domain is being changed by somebody else: try again' })
const noReplyOf = (domain: string) => `no-reply@${domain}`
