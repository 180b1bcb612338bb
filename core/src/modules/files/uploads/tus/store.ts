import { DataStore, Metadata, Upload } from '@tus/server'
import { AppError, type Ctx } from '#kernel'
import { beginUpload, endUpload, seeUpload } from './begin.ts'
import { receive } from './receive.ts'

/** What of the protocol is spoken beside its core. */
export const EXTENSIONS = ['creation', 'creation-with-upload', 'expiration', 'termination']

/** What one request sends. */
export interface Sent {
  metadata: string
  /** Its body: the protocol only asks for it where it belongs to an upload. */
  content: AsyncIterable<Buffer>
}

/** Uploads as the protocol sees them, for one request of one caller. */
export class UploadStore extends DataStore {
  readonly #ctx: Ctx
  readonly #sent: Sent
  #begun: string | null = null
  /** When what this request was about ends by itself. */
  expiresAt: string | null = null
  /** The file that it has become. */
  fileId: string | null = null

  constructor(ctx: Ctx, sent: Sent) {
    super()
    this.#ctx = ctx
    this.#sent = sent
    this.extensions = EXTENSIONS
  }

  override async create(upload: Upload): Promise<Upload> {
    const { id, expires_at } = await beginUpload(this.#ctx, {
      size: upload.size ?? 0,
      metadata: upload.metadata ?? {},
      sent: this.#sent.metadata,
    })
    this.expiresAt = expires_at
    this.#begun = id
    upload.id = id
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    const seen = await seeUpload(this.#ctx, id)
    if ('file' in seen) return new Upload({ id, size: seen.file.size, offset: seen.file.size })
    const { size, received, metadata, expires_at } = seen.upload
    this.expiresAt = expires_at
    return new Upload({
      id,
      size: size ?? 0,
      offset: received,
      ...(metadata === null ? {} : { metadata: Metadata.parse(metadata) }),
    })
  }

  override async write(_empty: unknown, id: string, offset: number): Promise<number> {
    const received = await receive(this.#ctx, id, offset, this.#sent.content)
    this.expiresAt = received.isComplete ? null : received.expiresAt
    if (received.isComplete) this.fileId = id
    return received.offset
  }

  /** Gives up what a request has begun that was refused: nobody learns where it would go on. */
  async forget(): Promise<void> {
    if (this.#begun === null) return
    try {
      await endUpload(this.#ctx, this.#begun)
    } catch (error) {
      // Its own content may have ended it.
      if (error instanceof AppError && error.status === 404) return
      this.#ctx.log.warn({ err: error, upload: this.#begun }, 'an upload that failed keeps its quota until it ends')
    }
  }

  override remove(id: string): Promise<void> {
    return endUpload(this.#ctx, id)
  }
}
