import { type Ctx, HOURS, settingIn } from '#kernel'
import type { TenantRecord } from '../../tenants/index.ts'
import { sessionMaxAgeHours } from '../settings.ts'
import { findTenantOfMember } from './session-queries.ts'

/** The tenant in which a person may act, and how long a session there may last. */
export interface Admission {
  /** Null: in no tenant. */
  tenant: TenantRecord | null
  maxAgeMs: number
}

/** Why a person may not act in a tenant. An unknown tenant and one of other people give the same reason. */
export type Refusal = 'not_member' | 'suspended'

// Outside of a tenant: the longest age that a tenant can choose.
const LONGEST_AGE_MS = 8_760 * HOURS

/**
 * Whether a person may act in the tenant of the transaction. Signing in, refreshing and switching all call this, so
 * that no way in skips a check.
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
