/** An entry as the directory at the end tells of it. */
export interface ZipEntry {
  name: Buffer
  isCompressed: boolean
  crc: number
  /** As it lies there, and as it is. */
  packed: number
  bytes: number
  /** Where its own header begins. */
  offset: number
  /** Time and date as MS-DOS wrote them. */
  time: number
  date: number
}

const FILE = 0x04034b50
const DESCRIPTOR = 0x08074b50
const DIRECTORY = 0x02014b50
const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50

/** ZIP64, on a system with permissions as Unix has them. */
const MADE_BY = (3 << 8) | 45
const NEEDS = 45
/** Sizes follow the content, and names are UTF-8. */
const FLAGS = 0x0808
const DEFLATED = 8
const MOST_16 = 0xffff
const MOST_32 = 0xffff_ffff
/** -rw-r--r-- of a regular file. */
const MODE = (0o100644 << 16) >>> 0

/** What stands before the content. Nobody knows yet how long that is, so there is room for any length. */
export function fileHeader({ name, isCompressed, time, date }: Omit<ZipEntry, 'crc' | 'packed' | 'bytes'>): Buffer {
  const fixed = Buffer.alloc(30)
  fixed.writeUInt32LE(FILE, 0)
  fixed.writeUInt16LE(NEEDS, 4)
  fixed.writeUInt16LE(FLAGS, 6)
  fixed.writeUInt16LE(isCompressed ? DEFLATED : 0, 8)
  fixed.writeUInt16LE(time, 10)
  fixed.writeUInt16LE(date, 12)
  fixed.writeUInt32LE(MOST_32, 18)
  fixed.writeUInt32LE(MOST_32, 22)
  fixed.writeUInt16LE(name.byteLength, 26)
  const extra = extra64([0, 0])
  fixed.writeUInt16LE(extra.byteLength, 28)
  return Buffer.concat([fixed, name, extra])
}

/** What stands behind the content, once its length and checksum are known. */
export function descriptor({ crc, packed, bytes }: Pick<ZipEntry, 'crc' | 'packed' | 'bytes'>): Buffer {
  const record = Buffer.alloc(24)
  record.writeUInt32LE(DESCRIPTOR, 0)
  record.writeUInt32LE(crc, 4)
  record.writeBigUInt64LE(BigInt(packed), 8)
  record.writeBigUInt64LE(BigInt(bytes), 16)
  return record
}

/** The entry's part of the directory; in 64 bits only what needs them, which older programs cannot read. */
export function directoryRecord(entry: ZipEntry): Buffer {
  const { name, isCompressed, crc, time, date, bytes, packed, offset } = entry
  const large = [bytes, packed, offset].filter((value) => value >= MOST_32)
  const extra = large.length > 0 ? extra64(large) : Buffer.alloc(0)
  const fixed = Buffer.alloc(46)
  fixed.writeUInt32LE(DIRECTORY, 0)
  fixed.writeUInt16LE(MADE_BY, 4)
  fixed.writeUInt16LE(NEEDS, 6)
  fixed.writeUInt16LE(FLAGS, 8)
  fixed.writeUInt16LE(isCompressed ? DEFLATED : 0, 10)
  fixed.writeUInt16LE(time, 12)
  fixed.writeUInt16LE(date, 14)
  fixed.writeUInt32LE(crc, 16)
  fixed.writeUInt32LE(Math.min(packed, MOST_32), 20)
  fixed.writeUInt32LE(Math.min(bytes, MOST_32), 24)
  fixed.writeUInt16LE(name.byteLength, 28)
  fixed.writeUInt16LE(extra.byteLength, 30)
  fixed.writeUInt32LE(MODE, 38)
  fixed.writeUInt32LE(Math.min(offset, MOST_32), 42)
  return Buffer.concat([fixed, name, extra])
}

/** The end of the file: how many entries there are, and where their directory lies. */
export function endOfZip({ entries, bytes, offset }: { entries: number; bytes: number; offset: number }): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(END, 0)
  end.writeUInt16LE(Math.min(entries, MOST_16), 8)
  end.writeUInt16LE(Math.min(entries, MOST_16), 10)
  end.writeUInt32LE(Math.min(bytes, MOST_32), 12)
  end.writeUInt32LE(Math.min(offset, MOST_32), 16)
  if (entries < MOST_16 && bytes < MOST_32 && offset < MOST_32) return end
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(END_64, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(MADE_BY, 12)
  end64.writeUInt16LE(NEEDS, 14)
  end64.writeBigUInt64LE(BigInt(entries), 24)
  end64.writeBigUInt64LE(BigInt(entries), 32)
  end64.writeBigUInt64LE(BigInt(bytes), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(LOCATOR_64, 0)
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, end])
}

function extra64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8 * values.length, 2)
  for (const [at, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * at)
  return extra
}

/** A moment (UTC) as MS-DOS wrote it: in steps of two seconds, from 1980 on. */
export function dosTime(ms: number): { time: number; date: number } {
  const at = new Date(Math.max(ms, Date.UTC(1980, 0, 1)))
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  }
}
