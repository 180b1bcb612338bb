import type { Ctx } from '../context.ts'
import { permissionDenied } from '../errors.ts'
import type { PartialOperatorRole } from './operators.ts'

/**
 * The rights that a handler checked and its caller held. A kept answer is given again only while its caller still holds
 * them, so they are checked again then.
 */
export interface Grounds {
  /** Each with the store that it was checked for; null: the whole tenant. */
  readonly permissions: [permission: string, storeId: string | null][]
  /** Roles that the handler checked by itself. */
  readonly roles: [roleId: string, storeId: string | null][]
  superAdmin: boolean
  /** Of operators. An answer of an earlier release has none. */
  readonly operatorRoles: PartialOperatorRole[]
}

export function noGrounds(): Grounds {
  return { permissions: [], roles: [], superAdmin: false, operatorRoles: [] }
}

/** Adds a checked right, once. */
export function note(asked: [string, string | null][], name: string, storeId: string | null): void {
  if (!asked.some(([known, store]) => known === name && store === storeId)) asked.push([name, storeId])
}

/** Throws 403 `permission_denied` unless the caller still holds all rights that the answer was based on. */
export function requireGrounds(ctx: Ctx, { permissions, roles, superAdmin, operatorRoles = [] }: Grounds): void {
  for (const role of operatorRoles) ctx.requireOperator(role)
  for (const [permission, storeId] of permissions) ctx.require(permission, storeId)
  const holds = (roleId: string, storeId: string | null) =>
    ctx.grants.some((grant) => grant.roleId === roleId && grant.storeId === storeId)
  if (roles.every(([roleId, storeId]) => holds(roleId, storeId)) && (!superAdmin || ctx.superAdmin)) return
  throw permissionDenied({ detail: 'You hold less than when this request was first made' })
}
