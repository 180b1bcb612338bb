import { type AppError, payloadTooLarge, unsupportedMediaType } from '#kernel'

/** A problem with the picture itself. */
export const inFile = (detail: string) => ({ pointer: '#/file', detail })

/** 413, at the file. */
export const tooLarge = (detail: string): AppError => payloadTooLarge({ errors: [inFile(detail)] })

/** 415, at the file. */
export const notTaken = (detail: string, cause?: unknown): AppError =>
  unsupportedMediaType({ errors: [inFile(detail)], cause })

/** 415 for a picture that cannot be read to its end. */
export const damaged = (cause: unknown): AppError => notTaken('is damaged or not complete', cause)
