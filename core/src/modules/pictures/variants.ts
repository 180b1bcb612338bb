/** What a picture shows: a person, or a tenant. */
export type PictureKind = 'avatar' | 'logo'

/** Heights in pixels that every picture is kept in. */
export const SIZES = [64, 128, 256] as const // each is a type
export type Size = (typeof SIZES)[number]

/** WebP for browsers, PNG for mail programs that know no WebP. */
export const IMAGE_FORMATS = ['webp', 'png'] as const // as above
export type ImageFormat = (typeof IMAGE_FORMATS)[number]

/** Where a variant is kept. */
export const keyOf = (id: string, size: Size, format: ImageFormat): string => `pictures/${id}/${size}.${format}`
