import { type Ctx, parseJson, recipientOf, type Static } from '#kernel'
import { listOwners } from '../../members/index.ts'
import { getTenant } from '../../tenants/index.ts'
import { formOf, hashOf, type KeyForm } from '../access/format.ts'
import { apiKeyLeaked } from '../events.ts'
import { keyLeakedMail } from '../mails.ts'
import { endKey } from '../operations.ts'
import { findHashes, lockKeyIfAny } from '../queries.ts'
import { type LeakAnswer, LeakReport } from '../schema.ts'
import type { ApiKeyHashRow } from '../table.ts'

type Report = Static<typeof LeakReport>[number]

const MAX_SOURCE = 100
const MAX_URL = 500

/**
 * Revokes the keys of a report. Nobody has to say who they are: who knows a whole key could use it, and to end it is the least
 * that they could do with it. The answer tells of each token whether it was a key, and nothing else. Opens its own
 * transactions. Throws 400 for what is no report.
 */
export async function revokeLeaked(ctx: Ctx, raw: Buffer): Promise<LeakAnswer> {
  const reports = parseJson(raw, LeakReport)
  const known = await findKnown(ctx, reports)
  const failures: unknown[] = []
  for (const [hash, { row, report }] of known) {
    try {
      await ctx.transaction((inner) => revokeOne(inner, row, report), { tenantId: row.tenant_id })
      ctx.log.warn({ tenant_id: row.tenant_id, api_key_id: row.api_key_id, hash }, 'a leaked API key was reported')
    } catch (error) {
      // What cannot be revoked now must not keep the keys alive that are reported with it.
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return reports.map(({ token, type = '' }) => {
    const token_hash = hashOf(token).toString('hex')
    return { token_hash, token_type: type, label: known.has(token_hash) ? 'true_positive' : 'false_positive' }
  })
}

interface Found {
  row: ApiKeyHashRow
  report: Report
}

async function findKnown(ctx: Ctx, reports: readonly Report[]): Promise<Map<string, Found>> {
  const wanted = new Map<string, { form: KeyForm; report: Report }>()
  for (const report of reports) {
    const form = formOf(report.token)
    if (form !== 'broken') wanted.set(hashOf(report.token).toString('hex'), { form, report })
  }
  const known = new Map<string, Found>()
  if (wanted.size === 0) return known
  const hashes = [...wanted.keys()].map((hash) => Buffer.from(hash, 'hex'))
  const scope = { tenantId: null, readOnly: true }
  for (const row of await ctx.transaction(({ tx }) => findHashes(tx, hashes), scope)) {
    const hash = row.key_hash.toString('hex')
    const of = wanted.get(hash)
    if (of && of.form === (row.is_imported ? 'foreign' : 'ours')) known.set(hash, { row, report: of.report })
  }
  return known
}

/** Does nothing more for a key that is revoked already, or gone with its tenant. */
async function revokeOne(ctx: Ctx, { api_key_id }: ApiKeyHashRow, { source, url }: Report): Promise<void> {
  const before = await lockKeyIfAny(ctx.tx, ctx.tenantId, api_key_id)
  if (!before || before.revoked_at !== null) return
  const found = { source: shortened(source, MAX_SOURCE), url: shortened(url, MAX_URL) }
  const after = await endKey(ctx, before, (content) =>
    ctx.emit(apiKeyLeaked, { before: content.before, after: { ...content.after, ...found } }),
  )
  const tenant = await getTenant(ctx.tx, ctx.tenantId)
  for (const owner of await listOwners(ctx)) {
    const data = { name: owner.name, tenantName: tenant.name, keyName: after.name, keyPrefix: after.key_prefix }
    await ctx.mail(keyLeakedMail, { ...recipientOf(owner), data: { ...data, at: ctx.clock.now() } })
  }
}

/** Without half of the character that stands where it is cut: the database would refuse it. */
const shortened = (text: string | null | undefined, length: number): string | null =>
  text?.slice(0, length).toWellFormed() ?? null
