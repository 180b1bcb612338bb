import { type Ctx, HOURS, settingIn } from '#kernel'
import type { TenantRecord } from '../../tenants/index.ts'
import { sessionMaxAgeHours } from '../settings.ts'
import { findTenantOfMember } from './session-queries.ts'

/** Where a person may act, and for how long a session there lasts at most. */
export interface Admission {
  /** Null: in no tenant. */
  tenant: TenantRecord | null
  maxAgeMs: number
}

/** Why a person may not act in a tenant; one that does not exist and one that is not theirs are the same. */
export type Refusal = 'not_member' | 'suspended'

// Outside of a tenant, the longest that any tenant can choose.
const LONGEST_AGE_MS = 8_760 * HOURS

/**
 * Whether a person may act in the tenant that the transaction is scoped to. Signing in, refreshing and switching all
 * ask here, so that what is asked of a member cannot be evaded by another way in.
 */
export async function admit(ctx: Ctx, userId: string): Promise<Admission | Refusal> {
  const { tx, tenant: tenantId } = ctx
  if (tenantId === null) return { tenant: null, maxAgeMs: LONGEST_AGE_MS }
  const found = await findTenantOfMember(tx, tenantId, userId)
  if (found?.member_status !== 'active') return 'not_member'
  const { settings, member_status: _, ...tenant } = found
  if (tenant.status !== 'active') return 'suspended'
  return { tenant, maxAgeMs: settingIn(sessionMaxAgeHours, settings, ctx) * HOURS }
}
