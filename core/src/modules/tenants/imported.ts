import { type ExportedRow, type ImportRule, type ImportTools, importableSettings, type RestoreRule } from '#kernel'
import { checkColors } from './colors.ts'
import { BrandingPatch, NewTenant } from './schema.ts'

/** What is taken of the row of a tenant that comes from elsewhere. Whether people are let in, and by which slug, is said by whoever imports it. */
export const importedTenant: ImportRule = {
  columns: { name: NewTenant.properties.name, branding: BrandingPatch },
  problem(tools, { settings, branding }) {
    for (const { detail } of checkColors(branding as BrandingPatch)) return `a colour ${detail}`
    const read = importableSettings(tools, 'tenant', settings)
    return 'problem' in read ? read.problem : null
  },
  anew: (tools, row) => ({
    ...{ status: 'suspended', is_incomplete: true, suspended_at: null, suspended_reason: null },
    settings: settingsOf(tools, row),
  }),
}

function settingsOf(tools: ImportTools, { settings }: ExportedRow): unknown {
  const read = importableSettings(tools, 'tenant', settings)
  return 'settings' in read ? read.settings : {}
}

/** Slug and owner have directories and rights of their own, and whether people are let in is for operators to say. */
export const restoredTenant: RestoreRule = {
  isNamedOnly: true,
  keepsExtra: true,
  keeps: ['slug', 'owner_id', 'status', 'suspended_at', 'suspended_reason', 'created_at'],
}
