import type { Declared, PermissionSpec } from '#kernel'
import type { Permission } from './schema.ts'
import type { SystemRoleKey } from './system-roles.ts'
import type { RoleRow } from './table.ts'

/** The permissions of all modules, as roles need them. */
export interface Catalogue {
  /** In the order of the modules. */
  readonly permissions: readonly Permission[]
  readonly byCode: ReadonlyMap<string, Permission>
  readonly ofSystemRole: Readonly<Record<SystemRoleKey, readonly string[]>>
}

type Registry = Declared['registry']

// Computed once per core, because its modules do not change.
const catalogues = new WeakMap<Registry, Catalogue>()

/** What the modules of this core declare. */
export function catalogueOf({ registry }: Declared): Catalogue {
  let catalogue = catalogues.get(registry)
  if (!catalogue) {
    catalogue = buildCatalogue(registry)
    catalogues.set(registry, catalogue)
  }
  return catalogue
}

/**
 * The permissions that a role grants where it is held: for a single store only those of scope `store`. Codes that no
 * module declares any more are left out.
 */
export function effectivePermissions(
  catalogue: Catalogue,
  role: Pick<RoleRow, 'key' | 'permissions'>,
  storeId: string | null,
): readonly string[] {
  const codes = role.key === null ? role.permissions : catalogue.ofSystemRole[role.key]
  return codes.filter((code) => {
    const permission = catalogue.byCode.get(code)
    return permission !== undefined && (storeId === null || permission.scope === 'store')
  })
}

function buildCatalogue({ permissions }: Registry): Catalogue {
  const declared = [...permissions.values()]
  const shown = declared.map(({ code, description, module, scope }) => ({
    code,
    description,
    module,
    scope: scope ?? ('tenant' as const),
  }))
  const held = (key: SystemRoleKey) => declared.filter((spec) => holds(key, spec)).map(({ code }) => code)
  return {
    permissions: shown,
    byCode: new Map(shown.map((permission) => [permission.code, permission])),
    ofSystemRole: {
      owner: held('owner'),
      admin: held('admin'),
      manager: held('manager'),
      staff: held('staff'),
      viewer: held('viewer'),
    },
  }
}

function holds(key: SystemRoleKey, spec: PermissionSpec): boolean {
  return key === 'owner' || (spec.roles ?? ['admin']).includes(key)
}
