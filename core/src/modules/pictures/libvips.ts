import type { Sharp, SharpInput, SharpOptions } from 'sharp'

type MakeSharp = (input: SharpInput, options: SharpOptions) => Sharp

let loaded: Promise<MakeSharp> | undefined

/** Loads the native code that decodes pictures: when the first one comes, since most processes never see any. */
export function loadSharp(): Promise<MakeSharp> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<MakeSharp> {
  const { default: sharp } = await import('sharp')
  // One thread for each picture, and none of them kept: what is decoded once is not asked for again.
  sharp.cache(false)
  sharp.concurrency(1)
  return sharp
}
