import { AppError, type Ctx, type FieldProblem, invalidRequest, isUuid, unsupportedMediaType } from '#kernel'
import { fileConfiguration } from '../../configuration.ts'
import { judgeName } from '../../judge-type.ts'
import { type Owner, ownerIn } from '../../rules.ts'
import { requireName } from '../form.ts'

/** What a client says about an upload, `null` for a name without a value. */
export type Metadata = Readonly<Record<string, string | null>>

/** An upload as its metadata describe it. */
export interface Described {
  filename: string
  original_filename: string
  content_type: string
  owner: Owner | null
  is_public: boolean
}

const POINTER = 'headers/upload-metadata'

/** Reads the metadata of an upload. Throws 400, and 415 for a name or a declared type that is not taken. */
export function readMetadata(ctx: Pick<Ctx, 'config' | 'registry'>, given: Metadata): Described {
  return pointingHere(() => {
    const { filename, original } = requireName(given.filename ?? null)
    const { FILE_ALLOWED_EXTENSIONS: allowed } = ctx.config.of(fileConfiguration)
    const judged = judgeName({ filename, declared: given.filetype ?? undefined, allowed })
    if ('problem' in judged)
      throw unsupportedMediaType({ errors: [{ pointer: '#/filename', detail: `is refused: ${judged.problem}` }] })
    const owner = ownerIn(ctx, { entity_type: given.entity_type ?? undefined, entity_id: idIn(given) })
    return {
      filename,
      original_filename: original,
      content_type: judged.contentType,
      owner,
      is_public: flagIn(given),
    }
  })
}

function idIn({ entity_id: id }: Metadata): string | undefined {
  if (id === undefined || id === null || isUuid(id)) return id ?? undefined
  throw invalidRequest({ errors: [{ pointer: '#/entity_id', detail: 'must be a UUID' }] })
}

function flagIn({ is_public: flag = 'false' }: Metadata): boolean {
  if (flag === 'true' || flag === 'false') return flag === 'true'
  throw invalidRequest({ errors: [{ pointer: '#/is_public', detail: 'must be true or false' }] })
}

/** What forms say in fields of a body stands here in one header. */
function pointingHere<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AppError) || !error.details.errors) throw error
    throw error.kind({ ...error.details, errors: error.details.errors.map(moved) })
  }
}

function moved({ pointer, detail }: FieldProblem): FieldProblem {
  const name = pointer.slice('#/'.length)
  return { pointer: POINTER, detail: `${name === 'file' ? 'filename' : name} ${detail}` }
}
