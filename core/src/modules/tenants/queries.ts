import { columnsOf, type Insertable, json, type StoredSettings, sql, type Tx } from '#kernel'
import { Tenant } from './schema.ts'
import type { TenantRecord, TenantStatus, TenantTable } from './table.ts'

const columns = [...columnsOf(Tenant), 'logo_id'] as const // names type the row

export function findTenant(tx: Tx, id: string): Promise<TenantRecord | undefined> {
  return tx.selectFrom('tenants').select(columns).where('id', '=', id).executeTakeFirst()
}

/** The id of the tenant with that slug, or undefined. */
export async function findIdBySlug(tx: Tx, slug: string): Promise<string | undefined> {
  const row = await tx.selectFrom('tenant_slugs').select('tenant_id').where('slug', '=', slug).executeTakeFirst()
  return row?.tenant_id
}

/** Tenants by their ids. Reads across tenants: for the system role. */
export function listTenants(tx: Tx, ids: readonly string[]): Promise<TenantRecord[]> {
  return tx.selectFrom('tenants').select(columns).where(sql<boolean>`id = any(${ids}::uuid[])`).orderBy('id').execute()
}

/**
 * Locks the tenant's row until the transaction ends, which serialises changes of things that exist once per tenant.
 * Rows that refer to the tenant can still be added.
 */
export function lockTenant(tx: Tx, id: string): Promise<TenantRecord> {
  return tx.selectFrom('tenants').select(columns).where('id', '=', id).forNoKeyUpdate().executeTakeFirstOrThrow()
}

/** The same for an id that may be none. */
export function lockTenantIfThere(tx: Tx, id: string): Promise<TenantRecord | undefined> {
  return tx.selectFrom('tenants').select(columns).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
}

/** The tenant, while it is still being read from an export. For the system role. */
export const findIncompleteTenant = (tx: Tx, id: string) =>
  tx.selectFrom('tenants').select('id').where('id', '=', id).where('is_incomplete', '=', true).executeTakeFirst()

/** For the system role. */
export function updateTenantStatus(tx: Tx, id: string, status: TenantStatus): Promise<TenantRecord> {
  return tx.updateTable('tenants').set(status).where('id', '=', id).returning(columns).executeTakeFirstOrThrow()
}

/** Deletes it, or makes it what it was before. For the system role. */
export function updateTenantDeleted(tx: Tx, id: string, isDeleted: boolean, now: string): Promise<TenantRecord> {
  const before = sql<TenantRecord['status']>`case when suspended_at is null then 'active' else 'suspended' end`
  return tx
    .updateTable('tenants')
    .set({ status: isDeleted ? 'deleted' : before, updated_at: now })
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Gives the slug of a tenant that is removed for good back. */
export async function deleteSlug(tx: Tx, tenantId: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('tenant_slugs')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

export function insertTenant(tx: Tx, tenant: Insertable<TenantTable>): Promise<TenantRecord> {
  return tx.insertInto('tenants').values(tenant).returning(columns).executeTakeFirstOrThrow()
}

/** Counts one more tenant founded by a person; false when they have founded `most`. */
export async function upsertFounded(tx: Tx, userId: string, most: number): Promise<boolean> {
  const counted = await tx
    .insertInto('tenant_founders')
    .values({ user_id: userId, founded: 1 })
    .onConflict((same) =>
      same
        .column('user_id')
        .doUpdateSet({ founded: sql`tenant_founders.founded + 1` })
        .where('tenant_founders.founded', '<', most),
    )
    .returning('founded')
    .executeTakeFirst()
  return counted !== undefined
}

export function updateTenant(tx: Tx, tenant: TenantRecord): Promise<TenantRecord> {
  const { name, slug, owner_id, branding, logo_id, updated_at } = tenant
  return tx
    .updateTable('tenants')
    .set({ name, slug, owner_id, branding: json(branding), logo_id, updated_at })
    .where('id', '=', tenant.id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export type SettingsRow = { id: string; settings: StoredSettings; created_at: string; updated_at: string }

const settingsColumns = ['id', 'settings', 'created_at', 'updated_at'] as const // names type the row

export function getSettings(tx: Tx, tenantId: string): Promise<SettingsRow> {
  return selectSettings(tx, tenantId).executeTakeFirstOrThrow()
}

export function lockSettings(tx: Tx, tenantId: string): Promise<SettingsRow> {
  return selectSettings(tx, tenantId).forNoKeyUpdate().executeTakeFirstOrThrow()
}

export function updateSettings(tx: Tx, { id, settings, updated_at }: SettingsRow): Promise<SettingsRow> {
  return tx
    .updateTable('tenants')
    .set({ settings: json(settings), updated_at })
    .where('id', '=', id)
    .returning(settingsColumns)
    .executeTakeFirstOrThrow()
}

/** Reserves a slug for a tenant; false when another tenant has it, or is committing it now. */
export async function insertSlug(tx: Tx, slug: string, tenantId: string): Promise<boolean> {
  const row = await tx
    .insertInto('tenant_slugs')
    .values({ slug, tenant_id: tenantId })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning('slug')
    .executeTakeFirst()
  return row !== undefined
}

/** Violates `tenant_slugs_pkey` when another tenant has the slug. */
export async function updateSlug(tx: Tx, slug: string, tenantId: string): Promise<void> {
  await tx.updateTable('tenant_slugs').set({ slug }).where('tenant_id', '=', tenantId).execute()
}

function selectSettings(tx: Tx, tenantId: string) {
  return tx.selectFrom('tenants').select(settingsColumns).where('id', '=', tenantId)
}
