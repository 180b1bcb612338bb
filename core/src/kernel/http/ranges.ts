import type { ByteRange } from '../storage/storage.ts'

/**
 * Which part of `size` bytes the header `Range` asks for (RFC 9110, 14.2). Whoever asks for several parts, in another
 * unit or in nonsense gets the whole, as the standard allows; `unsatisfiable` is for 416.
 */
export function readRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, listed = ''] = /^bytes=(.*)$/i.exec(header?.trim() ?? '') ?? []
  // A list may have empty places.
  const [spec, ...others] = listed.split(',').flatMap((item) => item.trim() || [])
  if (spec === undefined || others.length > 0) return 'whole'
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(spec) ?? []
  if (first === '') return last === '' ? 'whole' : lastBytes(Number(last), size)
  const [start, end] = [Number(first), last === '' ? Number.POSITIVE_INFINITY : Number(last)]
  if (end < start) return 'whole'
  return start < size ? { start, end: Math.min(end, size - 1) } : 'unsatisfiable'
}

function lastBytes(count: number, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  if (count === 0) return 'unsatisfiable'
  // There is a last byte to send in everything but nothing, which has no range that could be named.
  return size === 0 ? 'whole' : { start: Math.max(0, size - count), end: size - 1 }
}
