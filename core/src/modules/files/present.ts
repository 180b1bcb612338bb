import { type Ctx, pickFields } from '#kernel'
import { File } from './schema.ts'
import type { FileRow } from './table.ts'

/** What a path under `PUBLIC_URL` of this API is called from outside. */
const api = ({ config }: Pick<Ctx, 'config'>, path: string) => `${config.http.publicUrl}/api/v1${path}`

export function presentFile(ctx: Pick<Ctx, 'config'>, row: FileRow): File {
  const { id, tenant_id, is_public } = row
  const path = is_public ? `/public-files/${tenant_id}/${id}` : `/files/${id}/download`
  return pickFields(File, { ...row, url: api(ctx, path) })
}

export const uploadUrl = (ctx: Pick<Ctx, 'config'>, token: string): string => api(ctx, `/file-uploads/${token}`)
export const linkUrl = (ctx: Pick<Ctx, 'config'>, token: string): string => api(ctx, `/file-links/${token}`)
