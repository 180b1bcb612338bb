/** The formats that pictures are taken in, by the names that sharp gives them. */
export type Format = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif'

const TAKEN = 'send a JPEG, PNG, WebP, GIF or AVIF'

/** What a content is by its first bytes, whatever its name or declared type say: a format, or why it is refused. */
export function formatOf(content: Buffer): { format: Format } | { refused: string } {
  const format = SIGNATURES.find(([, starts]) => starts(content))?.[0]
  if (format) return { format }
  const name = REFUSED.find(([, starts]) => starts(content))?.[0]
  if (name === 'HEIC')
    return { refused: 'is a HEIC picture, which browsers cannot show: export it as JPEG and send that' }
  if (name === 'SVG') return { refused: `is an SVG, which may contain scripts: ${TAKEN}` }
  return { refused: name ? `is a ${name}: ${TAKEN}` : `is none of the pictures that are taken: ${TAKEN}` }
}

type Test = (content: Buffer) => boolean

const begins =
  (bytes: string | readonly number[], at = 0): Test =>
  (content) => {
    const wanted = Buffer.from(bytes as string) // either form of Buffer.from
    return content.subarray(at, at + wanted.length).equals(wanted)
  }

/** Brands of ISO media files: the major one, and those that it is compatible with. */
function brandsOf(content: Buffer): string[] {
  if (!begins('ftyp', 4)(content)) return []
  const end = Math.min(content.readUInt32BE(0), content.length, 256)
  const brands = [content.toString('latin1', 8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(content.toString('latin1', at, at + 4))
  return brands
}

const isOf =
  (...wanted: string[]): Test =>
  (content) =>
    brandsOf(content).some((brand) => wanted.includes(brand))

const SIGNATURES: readonly [Format, Test][] = [
  ['jpeg', begins([0xff, 0xd8, 0xff])],
  ['png', begins([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['gif', (content) => begins('GIF87a')(content) || begins('GIF89a')(content)],
  ['webp', (content) => begins('RIFF')(content) && begins('WEBP', 8)(content)],
  ['avif', isOf('avif')],
]

/** What people send by mistake, to be told so by name. */
const REFUSED: readonly [string, Test][] = [
  ['HEIC', isOf('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1')],
  ['moving AVIF', isOf('avis')],
  ['film', begins('ftyp', 4)],
  [
    'SVG',
    (content) =>
      /^\s*(?:<\?xml|<!--|<!doctype svg|<svg)/i.test(content.toString('utf8', 0, 1024).replace(/^\ufeff/, '')),
  ],
  ['TIFF', (content) => begins([0x49, 0x49, 0x2a, 0])(content) || begins([0x4d, 0x4d, 0, 0x2a])(content)],
  ['BMP', begins('BM')],
  ['PDF', begins('%PDF')],
  ['JPEG XL', (content) => begins([0xff, 0x0a])(content) || begins([0, 0, 0, 0x0c, 0x4a, 0x58, 0x4c, 0x20])(content)],
  ['JPEG 2000', begins([0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20])],
  ['Windows icon', begins([0, 0, 1, 0])],
  ['Photoshop file', begins('8BPS')],
]
