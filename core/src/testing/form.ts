import { randomUUID } from 'node:crypto'

/** A file as a form carries it. */
export interface SentFile {
  name: string
  content: string | Buffer
  /** As the client declares it. Default: `application/octet-stream`. */
  type?: string
}

/** A form with a file: fields of several values are lists, and undefined ones are left out. */
export interface SentForm {
  fields?: Readonly<Record<string, unknown>>
  file?: SentFile
  /** Whether the file comes before the fields. */
  isFileFirst?: boolean
}

/** A form as `multipart/form-data`. */
export function encodeForm({ fields = {}, file, isFileFirst = false }: SentForm): { payload: Buffer; type: string } {
  const boundary = `form-${randomUUID()}`
  const begin = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const texts = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => (each === undefined ? [] : Buffer.from(`${begin(name)}\r\n${each}\r\n`))),
  )
  const files = file
    ? [
        Buffer.from(
          `${begin('file', `; filename="${file.name.replaceAll('"', '%22')}"`)}Content-Type: ${file.type ?? 'application/octet-stream'}\r\n\r\n`,
        ),
        Buffer.from(file.content as string), // a buffer is copied as well
        Buffer.from('\r\n'),
      ]
    : []
  const parts = isFileFirst ? [...files, ...texts] : [...texts, ...files]
  const payload = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  return { payload, type: `multipart/form-data; boundary=${boundary}` }
}
