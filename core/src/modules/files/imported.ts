import { type Ctx, type ImportRule, type RestoreRule, Type } from '#kernel'
import { fileConfiguration } from './configuration.ts'
import { judgeType } from './judge-type.ts'
import { readFilename } from './names.ts'
import { NewFile } from './schema.ts'

const { entity_type, is_public } = NewFile.properties

/** What is taken of a file of a tenant that comes from elsewhere; what it holds is said by whoever reads that. */
export const importedFiles: ImportRule = {
  columns: { entity_type, is_public, size: Type.Integer({ minimum: 1 }) },
  problem(_tools, { filename, original_filename }) {
    const name = readFilename(String(filename))
    if ('problem' in name) return name.problem
    return name.filename === filename && String(original_filename).length <= 255
      ? null
      : 'its name is none that a disk takes'
  },
}

/** The type that a file is served with: what its name says, where what it begins with agrees; else no browser looks into it. */
export async function judgeImported(ctx: Ctx, filename: string, head: Uint8Array): Promise<string> {
  const { FILE_ALLOWED_EXTENSIONS: allowed } = ctx.config.of(fileConfiguration)
  const judged = await judgeType({ filename, head, allowed })
  return 'contentType' in judged ? judged.contentType : 'application/octet-stream'
}

/** What a file holds does not change, and what a scanner said of it is of now. */
export const restoredFiles: RestoreRule = {
  keepsExtra: true,
  keeps: [
    ...['size', 'checksum_sha256', 'content_type', 'original_filename', 'scan_status', 'scan_retry_at', 'missing_at'],
    ...['uploaded_by', 'created_at'],
  ],
}
