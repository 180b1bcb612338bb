import type { Ctx } from '../context.ts'
import { permissionDenied } from '../errors.ts'

/**
 * What a handler asked about the rights of its caller and was told yes: what its answer rests on. An answer that is kept
 * is worth what its caller may do when it is asked for again, so the same is asked anew then.
 */
export interface Grounds {
  /** Each with the store that it was asked for; null: the whole tenant. */
  readonly permissions: [permission: string, storeId: string | null][]
  /** Roles that the handler looked at by itself. */
  readonly roles: [roleId: string, storeId: string | null][]
  superAdmin: boolean
}

export function noGrounds(): Grounds {
  return { permissions: [], roles: [], superAdmin: false }
}

/** Adds what was asked for, once. */
export function note(asked: [string, string | null][], name: string, storeId: string | null): void {
  if (!asked.some(([known, store]) => known === name && store === storeId)) asked.push([name, storeId])
}

/** Throws 403 `permission_denied` unless the caller still holds all that the answer rested on. */
export function requireGrounds(ctx: Ctx, { permissions, roles, superAdmin }: Grounds): void {
  for (const [permission, storeId] of permissions) ctx.require(permission, storeId)
  const holds = (roleId: string, storeId: string | null) =>
    ctx.grants.some((grant) => grant.roleId === roleId && grant.storeId === storeId)
  if (roles.every(([roleId, storeId]) => holds(roleId, storeId)) && (!superAdmin || ctx.superAdmin)) return
  throw permissionDenied({ detail: 'You hold less than when this request was first made' })
}
