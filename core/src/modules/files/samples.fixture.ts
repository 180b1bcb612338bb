import { gzipSync } from 'node:zlib'
import sharp from 'sharp'

const ascii = (text: string) => Buffer.from(text, 'latin1')
const bytes = (...codes: number[]) => Buffer.from(codes)
const zeros = (length: number) => Buffer.alloc(length)

/** A zip of files that are stored as they are, without the directory at its end: what its first bytes show. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).map(([name, content]) => {
    const header = zeros(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt16LE(20, 4)
    header.writeUInt32LE(content.length, 18)
    header.writeUInt32LE(content.length, 22)
    header.writeUInt16LE(name.length, 26)
    return Buffer.concat([header, ascii(name + content)])
  })
  return Buffer.concat(parts)
}

/** An Office document whose list of parts says what it is. */
export function office(main: string): Buffer {
  const types = `<Types><Override PartName="/a.xml" ContentType="${main}.main+xml"/></Types>`
  return zip({ '[Content_Types].xml': types, 'docProps/app.xml': '<Properties/>' })
}

/** The beginning of a file of the MPEG-4 family with this brand. */
export function mpeg4(brand: string): Buffer {
  return Buffer.concat([
    bytes(0, 0, 0, 24),
    ascii('ftyp'),
    ascii(brand.padEnd(4)),
    zeros(4),
    ascii('isommp42'),
    zeros(64),
  ])
}

function ogg(codec: Buffer): Buffer {
  return Buffer.concat([ascii('OggS'), zeros(22), bytes(1, 30), codec, zeros(40)])
}

function riff(kind: string): Buffer {
  return Buffer.concat([ascii('RIFF'), bytes(36, 0, 0, 0), ascii(`${kind}fmt `), zeros(64)])
}

function ebml(docType: string): Buffer {
  const field = Buffer.concat([bytes(0x42, 0x82, 0x80 + docType.length), ascii(docType)])
  return Buffer.concat([bytes(0x1a, 0x45, 0xdf, 0xa3, 0x80 + field.length), field, zeros(16)])
}

function tar(): Buffer {
  const header = zeros(512)
  header.write('a.txt\0', 0)
  header.write('ustar\x0000', 257)
  return Buffer.concat([header, zeros(512)])
}

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const OPEN_DOCUMENT = 'application/vnd.oasis.opendocument'
const openDocument = (kind: string) => zip({ mimetype: `${OPEN_DOCUMENT}.${kind}`, 'content.xml': '<office/>' })
const cfb = Buffer.concat([bytes(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), zeros(600)])

const picture = () => sharp({ create: { width: 8, height: 6, channels: 3, background: '#c62' } })

/** The first bytes of a real file of every kind that is taken by default, by extension. */
export async function samples(): Promise<Record<string, Buffer>> {
  const jpeg = await picture().jpeg().toBuffer()
  const tiff = await picture().tiff().toBuffer()
  const text = Buffer.from('Größe;Preis\r\nM;1,20 €\n')
  return {
    ...{ pdf: ascii('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n'), rtf: ascii('{\\rtf1\\ansi Hello}') },
    ...{ doc: cfb, xls: cfb, ppt: cfb },
    docx: office(`${OFFICE}.wordprocessingml.document`),
    xlsx: office(`${OFFICE}.spreadsheetml.sheet`),
    pptx: office(`${OFFICE}.presentationml.presentation`),
    odt: openDocument('text'),
    ods: openDocument('spreadsheet'),
    odp: openDocument('presentation'),
    ...{ txt: text, csv: text, md: text, json: Buffer.from('{"größe": 1}') },
    xml: Buffer.from('<?xml version="1.0"?><a/>'),
    ...{ jpg: jpeg, jpeg, png: await picture().png().toBuffer(), gif: await picture().gif().toBuffer() },
    ...{ webp: await picture().webp().toBuffer(), avif: await picture().avif().toBuffer() },
    ...{ heic: mpeg4('heic'), heif: mpeg4('mif1'), tif: tiff, tiff },
    bmp: Buffer.concat([ascii('BM'), bytes(70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0), zeros(60)]),
    zip: zip({ 'a.txt': 'hello' }),
    gz: gzipSync('hello'),
    '7z': bytes(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4),
    tar: tar(),
    rar: Buffer.concat([ascii('Rar!'), bytes(0x1a, 7, 1, 0), zeros(16)]),
    mp3: Buffer.concat([ascii('ID3'), bytes(3, 0, 0, 0, 7, 0x76, 0x40), zeros(300)]),
    ...{ wav: riff('WAVE'), ogg: ogg(Buffer.concat([bytes(1), ascii('vorbis')])), m4a: mpeg4('M4A ') },
    ...{ flac: Buffer.concat([ascii('fLaC'), zeros(40)]), mp4: mpeg4('isom'), mov: mpeg4('qt  '), webm: ebml('webm') },
  }
}

/** Beginnings of files that are of no kind that is taken, by what they are. */
export async function strangers(): Promise<Record<string, Buffer>> {
  return {
    'a program for Windows': Buffer.concat([ascii('MZ'), bytes(0x90, 0, 3), zeros(200)]),
    'a program for Linux': Buffer.concat([bytes(0x7f), ascii('ELF'), bytes(2, 1, 1), zeros(57)]),
    'a Java archive': zip({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0' }),
    'an Office document with macros': office('application/vnd.ms-word.document.macroEnabled'),
    'a Matroska film': ebml('matroska'),
    'a raw picture of a camera': mpeg4('crx '),
    'bytes of nothing': Buffer.from(Array.from({ length: 256 }, (_, index) => (index * 73 + 5) % 256)),
    nothing: Buffer.alloc(0),
    'a page': Buffer.from('<!doctype html><script>alert(1)</script>'),
  }
}
