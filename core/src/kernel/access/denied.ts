import { type AppError, permissionDenied, scopeDenied } from '../errors.ts'

/** 403 for a missing permission: `scope_denied` where the credential was not made for it, else `permission_denied`. */
export function denied(permission: string, scopes: readonly string[] | null): AppError {
  const kind = scopes !== null && !scopes.includes(permission) ? scopeDenied : permissionDenied
  return kind({ members: { permission } })
}
