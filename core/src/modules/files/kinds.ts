/** What a file of some extensions is: how it is served, and what its sender and its content may say of it. */
export interface FileKind {
  /** In lower case. */
  readonly extensions: readonly string[]
  /** The media type it is served with. */
  readonly contentType: string
  /** Other media types that senders declare for it, and that its content may be recognised as. */
  readonly aliases: readonly string[]
  /** Media types that its content may be recognised as besides: containers of which only the beginning was seen. */
  readonly containers: readonly string[]
  /** Whether its bytes are text. Some formats of other bytes begin as text: `either`. */
  readonly bytes: 'text' | 'binary' | 'either'
  /** How the text begins, where that is known. */
  readonly begins?: RegExp
}

const ZIP = 'application/zip'
const CFB = 'application/x-cfb'
const OFFICE = 'application/vnd.openxmlformats-officedocument'
const OPEN_DOCUMENT = 'application/vnd.oasis.opendocument'
/** Files of the family of MPEG-4 whose first bytes name no more than that. */
const MPEG4 = ['video/mp4', 'video/x-m4v', 'video/quicktime', 'video/3gpp', 'video/3gpp2']

const KINDS: readonly FileKind[] = [
  binary('pdf', 'application/pdf', { aliases: ['application/x-pdf'], bytes: 'either' }),
  binary('rtf', 'application/rtf', { aliases: ['text/rtf', 'application/x-rtf'], bytes: 'either' }),
  binary('doc', 'application/msword', { containers: [CFB] }),
  binary('xls', 'application/vnd.ms-excel', { aliases: ['application/msexcel'], containers: [CFB] }),
  binary('ppt', 'application/vnd.ms-powerpoint', { aliases: ['application/mspowerpoint'], containers: [CFB] }),
  binary('docx', `${OFFICE}.wordprocessingml.document`, { containers: [ZIP] }),
  binary('xlsx', `${OFFICE}.spreadsheetml.sheet`, { containers: [ZIP] }),
  binary('pptx', `${OFFICE}.presentationml.presentation`, { containers: [ZIP] }),
  binary('odt', `${OPEN_DOCUMENT}.text`, { containers: [ZIP] }),
  binary('ods', `${OPEN_DOCUMENT}.spreadsheet`, { containers: [ZIP] }),
  binary('odp', `${OPEN_DOCUMENT}.presentation`, { containers: [ZIP] }),
  binary('epub', 'application/epub+zip', { containers: [ZIP] }),

  text('txt log', 'text/plain'),
  // Windows declares a CSV file as what it opens it with.
  text('csv', 'text/csv', ['application/csv', 'text/plain', 'application/vnd.ms-excel']),
  text('tsv', 'text/tab-separated-values', ['text/plain']),
  text('md', 'text/markdown', ['text/x-markdown', 'text/plain']),
  text('json', 'application/json', ['text/json', 'text/plain']),
  text('yaml yml', 'application/yaml', ['application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain']),
  // Only ever a download (`INLINE_TYPES`): XML may hold a page with scripts, or a picture with some.
  { ...text('xml', 'application/xml', ['text/xml', 'text/plain']), begins: /^\s*</ },

  binary('jpg jpeg jpe jfif', 'image/jpeg', { aliases: ['image/jpg', 'image/pjpeg'] }),
  binary('png', 'image/png', { aliases: ['image/x-png', 'image/apng'] }),
  binary('gif', 'image/gif'),
  binary('webp', 'image/webp'),
  binary('avif', 'image/avif', { containers: ['image/heif'] }),
  binary('heic', 'image/heic', { aliases: ['image/heif', 'image/heic-sequence', 'image/heif-sequence'] }),
  binary('heif', 'image/heif', { aliases: ['image/heic', 'image/heic-sequence', 'image/heif-sequence'] }),
  binary('tif tiff', 'image/tiff', { aliases: ['image/tif', 'image/x-tiff'] }),
  binary('bmp', 'image/bmp', { aliases: ['image/x-bmp', 'image/x-ms-bmp'] }),

  // Documents made of a zip are zips under that name too. Programs made of one are not among them.
  binary('zip', ZIP, {
    aliases: ['application/x-zip', 'application/x-zip-compressed'],
    containers: [
      ...['wordprocessingml.document', 'spreadsheetml.sheet', 'presentationml.presentation'].map(
        (kind) => `${OFFICE}.${kind}`,
      ),
      ...['text', 'spreadsheet', 'presentation', 'graphics'].map((kind) => `${OPEN_DOCUMENT}.${kind}`),
      'application/epub+zip',
    ],
  }),
  binary('gz tgz', 'application/gzip', {
    aliases: ['application/x-gzip', 'application/x-compressed', 'application/x-compressed-tar'],
  }),
  binary('7z', 'application/x-7z-compressed'),
  binary('tar', 'application/x-tar', { aliases: ['application/tar'] }),
  binary('rar', 'application/vnd.rar', { aliases: ['application/x-rar-compressed', 'application/x-rar'] }),

  binary('mp3', 'audio/mpeg', { aliases: ['audio/mp3', 'audio/x-mp3', 'audio/mpeg3'] }),
  binary('wav', 'audio/wav', { aliases: ['audio/x-wav', 'audio/wave', 'audio/vnd.wave'] }),
  binary('ogg oga opus', 'audio/ogg', { aliases: ['audio/opus', 'audio/vorbis', 'application/ogg', 'video/ogg'] }),
  binary('ogv', 'video/ogg', { aliases: ['application/ogg'] }),
  binary('m4a', 'audio/mp4', { aliases: ['audio/x-m4a', 'audio/m4a', 'audio/aac'], containers: MPEG4 }),
  binary('aac', 'audio/aac', { aliases: ['audio/x-aac', 'audio/aacp'] }),
  binary('flac', 'audio/flac', { aliases: ['audio/x-flac'] }),
  binary('mp4 m4v', 'video/mp4', { aliases: ['video/x-m4v', 'audio/mp4', 'audio/x-m4a'], containers: MPEG4 }),
  binary('mov', 'video/quicktime', { containers: MPEG4 }),
  binary('webm', 'video/webm', { aliases: ['audio/webm'] }),
  binary('mkv', 'video/matroska', { aliases: ['video/x-matroska'] }),
  binary('avi', 'video/vnd.avi', { aliases: ['video/x-msvideo', 'video/avi', 'video/msvideo'] }),
]

const byExtension = new Map(KINDS.flatMap((kind) => kind.extensions.map((extension) => [extension, kind] as const)))

/** What an extension stands for; undefined for one that only an operator knows, or nobody. */
export const kindOf = (extension: string): FileKind | undefined => byExtension.get(extension)

/** Whether some kind of file is declared so. */
export const isKnownType = (mediaType: string): boolean =>
  KINDS.some(({ contentType, aliases }) => contentType === mediaType || aliases.includes(mediaType))

/** What is taken unless `FILE_ALLOWED_EXTENSIONS` says otherwise. Nothing of it runs where it is opened. */
export const DEFAULT_EXTENSIONS: readonly string[] = [
  ...words('pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv md json xml'),
  ...words('jpg jpeg png gif webp avif heic heif tif tiff bmp'),
  ...words('zip gz 7z tar rar'),
  ...words('mp3 wav ogg m4a flac mp4 mov webm'),
]

/** Types that a browser may show in place of saving them, sandboxed: none can hold a script, a form or a link. */
export const INLINE_TYPES: ReadonlySet<string> = new Set([
  ...words('image/jpeg image/png image/gif image/webp image/avif image/heic image/heif image/tiff image/bmp'),
  ...words('audio/mpeg audio/wav audio/ogg audio/mp4 audio/aac audio/flac'),
  ...words('video/mp4 video/quicktime video/webm video/ogg video/matroska video/vnd.avi'),
  'text/plain',
])

/** The extension of a file name in lower case, without its dot; '' for a name without one, such as `.env`. */
export function extensionOf(filename: string): string {
  return /[^.]\.([a-z\d]{1,16})$/i.exec(filename)?.[1]?.toLowerCase() ?? ''
}

/** The name of a media type without parameters, in lower case; undefined when it is none. */
export function mediaTypeOf(text: string): string | undefined {
  return /^\s*([\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127})\s*(;|$)/.exec(text)?.[1]?.toLowerCase()
}

/** Whether a media type is among those of a rule such as `['image/*', 'application/pdf']`. No rule matches nothing. */
export function matchesTypes(contentType: string, patterns: readonly string[]): boolean {
  const type = mediaTypeOf(contentType)
  if (type === undefined) return false
  return patterns.some((pattern) => {
    const written = pattern.trim().toLowerCase()
    const [, family] = /^([^/*\s]+)\/\*$/.exec(written) ?? []
    return written === type || (family !== undefined && type.startsWith(`${family}/`))
  })
}

function binary(
  extensions: string,
  contentType: string,
  more: Partial<Pick<FileKind, 'aliases' | 'containers' | 'bytes'>> = {},
): FileKind {
  return { extensions: words(extensions), contentType, aliases: [], containers: [], bytes: 'binary', ...more }
}

function text(extensions: string, contentType: string, aliases: readonly string[] = []): FileKind {
  return { extensions: words(extensions), contentType, aliases, containers: [], bytes: 'text' }
}

function words(text: string): string[] {
  return text.split(' ')
}
