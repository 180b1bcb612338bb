import { type Ctx, DAYS, type Insertable, stamp } from '#kernel'
import { type FreshKey, makeKey } from './access/format.ts'
import type { Wish } from './access/wishes.ts'
import { insertHashes, insertKeys } from './queries.ts'
import type { ApiKeyHashRow, ApiKeyRow, ApiKeyTable } from './table.ts'

/** What a new key is to be. */
export type KeyContent = Wish & Pick<ApiKeyRow, 'name' | 'rate_limit_per_minute'>

/** How many days before its end people are told, the earliest first. */
export const REMINDER_DAYS = [7, 1] as const

/** Adds a key that nobody has had yet, with its place in the directory. */
export async function addKey(
  ctx: Ctx,
  content: KeyContent,
  replaces_id: string | null = null,
): Promise<{ row: ApiKeyRow; key: string }> {
  const fresh: FreshKey = makeKey()
  const row = newKeyRow(ctx, content, { key_prefix: fresh.prefix, replaces_id })
  const [inserted] = await insertKeys(ctx.tx, [row])
  const [known] = await insertHashes(ctx.tx, [hashRow(row, fresh.hash, false)])
  // 190 random bits: this happens when chance is broken, and then nothing must be handed out.
  if (!inserted || !known) throw new Error('A new API key was not new')
  return { row: inserted, key: fresh.key }
}

export type NewKeyRow = Insertable<ApiKeyTable> & Pick<ApiKeyRow, 'tenant_id' | 'id' | 'created_by'>

export function newKeyRow(
  ctx: Ctx,
  content: KeyContent,
  more: Pick<ApiKeyRow, 'key_prefix' | 'replaces_id'>,
): NewKeyRow {
  return {
    ...stamp(ctx),
    ...content,
    ...more,
    created_by: ctx.userId,
    overlap_ends_at: null,
    revoked_at: null,
    // Until it ends. The key that it replaces ends no later than it does.
    counted_until: content.expires_at,
    frozen_rights: null,
    reminded_days: remindedAlready(ctx, content),
  }
}

export const hashRow = (
  { tenant_id, id, created_by }: NewKeyRow,
  key_hash: Buffer,
  is_imported: boolean,
): ApiKeyHashRow => ({ key_hash, tenant_id, api_key_id: id, created_by, is_imported })

/** The reminders that would only say what was chosen a moment ago count as sent. */
export function remindedAlready({ clock }: Ctx, { expires_at }: Pick<ApiKeyRow, 'expires_at'>): number | null {
  if (expires_at === null) return null
  const left = Date.parse(expires_at) - clock.ms()
  return REMINDER_DAYS.findLast((days) => left <= days * DAYS) ?? null
}
