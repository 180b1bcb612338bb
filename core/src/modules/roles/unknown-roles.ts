import type { Core } from '#kernel'
import { SYSTEM_ROLES } from './system-roles.ts'

const known: ReadonlySet<string> = new Set(SYSTEM_ROLES.map(({ key }) => key))

/** Permissions that name a built-in role that does not exist: nobody would ever get them. */
export function unknownRoles({ registry }: Core): string[] {
  return [...registry.permissions.values()].flatMap(({ code, module, roles = [] }) =>
    roles
      .filter((role) => !known.has(role))
      .map(
        (role) => `permission ${code} (${module}) names the role ${role}, which is none of ${[...known].join(', ')}`,
      ),
  )
}
