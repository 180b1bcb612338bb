import type { Readable } from 'node:stream'
import {
  Answer,
  Closed,
  type Ctx,
  defineRoute,
  FileMissing,
  type FileStorage,
  notFound,
  OneOf,
  openStored,
  Streamed,
  Type,
  Uuid,
} from '#kernel'
import { getPicture } from './operations.ts'
import { IMAGE_FORMATS, type ImageFormat, keyOf, SIZES, type Size } from './variants.ts'

const PictureQuery = Closed({
  size: Type.Optional(
    Type.Unsafe<Size>({
      type: 'integer',
      enum: [...SIZES],
      default: 256,
      description:
        'Width and height of an avatar in pixels; the greatest height of a logo, which is up to four times as wide',
      examples: [128],
    }),
  ),
  format: Type.Optional(
    OneOf(IMAGE_FORMATS, {
      default: 'webp',
      description: '`png` for mail programs that show no WebP',
      examples: ['webp'],
    }),
  ),
})

export const pictureRoutes = [
  defineRoute({
    method: 'GET',
    path: '/pictures/:id',
    summary: 'See a picture of a person or a tenant',
    description:
      'Whoever knows its address sees it: pages of other origins and mails as well. What is there never changes, so it may be kept for good; a new picture has a new address.',
    access: 'public',
    rateLimit: 'media',
    transaction: 'manual',
    params: Closed({ id: Uuid }),
    query: PictureQuery,
    produces: { 'image/webp': Streamed, 'image/png': Streamed },
    response: { 200: Streamed, 304: null },
    handler: (ctx, { params, query }) => showPicture(ctx, params.id, query),
  }),
]

const HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'content-disposition': 'inline',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
}

interface Wanted {
  size?: Size
  format?: ImageFormat
}

async function showPicture(ctx: Ctx, id: string, { size = 256, format = 'webp' }: Wanted) {
  const picture = await ctx.transaction((ctx) => getPicture(ctx, id), { readOnly: true })
  const storage = ctx.storages.of(picture.storage_backend)
  return new Answer(200, () => openFile(storage, keyOf(picture.id, size, format)), {
    ...HEADERS,
    'content-type': `image/${format}`,
    etag: `"${picture.id}-${size}-${format}"`,
  })
}

async function openFile(storage: FileStorage, key: string): Promise<Readable> {
  try {
    return await openStored(storage, key)
  } catch (error) {
    throw error instanceof FileMissing ? notFound() : error
  }
}
