import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import type { RequestOptions, TestCore } from '../../testing/index.ts'

const BOUNDARY = 'a-boundary-that-no-picture-has'

/** A form with one file, as `request` sends it. */
export function formOf(content: Buffer, { name = 'file', filename = 'me.png', type = 'image/png', more = '' } = {}) {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`
  const payload = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n${more}--${BOUNDARY}--\r\n`)])
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
  return { payload, headers } satisfies RequestOptions
}

/** One more part of a form, to stand behind its file. */
export const partOf = (head: string, content: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`

/** A picture of one colour; each has its own. */
export function paint(width: number, height: number, shade: number | string = 0): Promise<Buffer> {
  const hex =
    typeof shade === 'string' ? shade : `#${createHash('sha256').update(String(shade)).digest('hex').slice(0, 6)}`
  return sharp({ create: { width, height, channels: 3, background: hex } })
    .png()
    .toBuffer()
}

/** What everybody sees at an address: its bytes as they are. */
export async function look(t: TestCore, url: string, headers: Record<string, string> = {}) {
  const { pathname, search } = new URL(url)
  const answer = await t.core.db.aside(() => t.app.inject({ method: 'GET', url: pathname + search, headers }))
  return { status: answer.statusCode, headers: answer.headers, content: answer.rawPayload }
}

/** Files and rows of pictures: what is there of them. */
export async function kept(t: TestCore): Promise<{ files: string[]; rows: { id: string; state: string }[] }> {
  const files: string[] = []
  for await (const { key } of t.core.storage.list('pictures')) files.push(key)
  const rows = await t.core.db.systemQuery<{ id: string; state: string }>('select id, state from pictures order by id')
  return { files, rows }
}

/** A PNG of whatever header, its pixels being these bytes compressed. */
export function pngOf(width: number, height: number, { pixels = Buffer.alloc(1000), isInPasses = false } = {}): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6, 0, 0, isInPasses ? 1 : 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A part of a PNG. */
export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [data.length, crc32(body)].map((value) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  })
  return Buffer.concat([length ?? body, body, sum ?? body])
}

/** A GIF of so many frames of one pixel each, on a canvas of that size. */
export function gifOf(width: number, height: number, frames: number): Buffer {
  const screen = Buffer.alloc(7)
  screen.writeUInt16LE(width, 0)
  screen.writeUInt16LE(height, 2)
  screen[4] = 0x80
  const frame = Buffer.from('2c0000000001000100000202440100', 'hex')
  const all = Array.from({ length: frames }, () => frame)
  return Buffer.concat([Buffer.from('GIF89a'), screen, Buffer.from([0, 0, 0, 255, 255, 255]), ...all, Buffer.from(';')])
}

/** A WebP without loss that claims a size and has no pixels. */
export function webpOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(5)
  header[0] = 0x2f
  header.writeUInt32LE(width - 1 + (height - 1) * 2 ** 14, 1)
  const body = Buffer.concat([Buffer.from('WEBPVP8L'), lengthOf(header.length), header, Buffer.alloc(1)])
  return Buffer.concat([Buffer.from('RIFF'), lengthOf(body.length), body])
}

/** An AVIF of a few pixels that claims a size. */
export async function avifOf(width: number, height: number): Promise<Buffer> {
  const picture = await sharp(await paint(8, 8))
    .avif({ effort: 0 })
    .toBuffer()
  const at = picture.indexOf('ispe') + 8
  picture.writeUInt32BE(width, at)
  picture.writeUInt32BE(height, at + 4)
  return picture
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes)
  return length
}

/** A part of an AVIF, with nothing in it. */
export const boxOf = (type: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from(type)])

export const repeated = (bytes: Buffer, times: number): Buffer => Buffer.alloc(bytes.length * times, bytes)
