import Type, { type Static } from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  Search,
  TenantId,
  Timestamp,
  UpdatedAt,
  Uuid,
} from '#kernel'

const entity_type = Type.String({
  maxLength: 63,
  pattern: '^[a-z][a-z0-9_.]*$',
  says: 'must be the kind of thing that the file belongs to, such as article',
  description: 'The kind of thing that it belongs to, as the module of the thing calls it',
  examples: ['store'],
})
const entity_id = Described(Uuid, 'The id of that thing')
const is_public = Type.Boolean({ description: 'Whoever knows its `url` may download it, without a credential' })

export const File = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    uploaded_by: Nullable(Described(Uuid, 'The person who uploaded it; null: an API key, or the system')),
    filename: Type.String({
      description: 'Its name, safe on every disk: what it is downloaded as',
      examples: ['menu.pdf'],
    }),
    original_filename: Type.String({ description: 'Its name as it was given', examples: ['C:\\menus\\menu.pdf'] }),
    content_type: Type.String({ description: 'Its media type, by name and content', examples: ['application/pdf'] }),
    size: Type.Integer({ minimum: 1, description: 'In bytes', examples: [48_213] }),
    checksum_sha256: Type.String({
      description: 'SHA-256 of its content in hexadecimal, as the storage holds it',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
    storage_backend: OneOf(['local', 's3'], { description: 'Where it is kept' }),
    entity_type: Nullable(entity_type),
    entity_id: Nullable(entity_id),
    store_id: Nullable(Described(Uuid, 'The store that it belongs to; null: to the whole tenant')),
    is_public,
    scan_status: OneOf(['none', 'pending', 'clean', 'infected'], {
      description: 'What the scanner says; `none`: there is none. Only `none` and `clean` can be downloaded',
    }),
    trashed_at: Nullable(
      Described(Timestamp, 'When it was put into the trash, from which it is removed 30 days later'),
    ),
    missing_at: Nullable(Described(Timestamp, 'Since when the storage has not had it: it cannot be downloaded')),
    url: Type.String({
      description: 'Where it is downloaded: with a credential, or without one where it is public',
      examples: ['https://app.example.com/api/v1/files/01926f3c-7b1e-7cc3-98c4-dc0c0c07398f/download'],
    }),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'File', description: 'A file that the tenant keeps' },
)
export type File = Static<typeof File>

/** What stands in a form beside the file. */
export const NewFile = Closed(
  { entity_type: Type.Optional(entity_type), entity_id: Type.Optional(entity_id), is_public: Type.Optional(is_public) },
  { title: 'NewFile', examples: [{ entity_type: 'store', entity_id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f' }] },
)
export type NewFile = Static<typeof NewFile>

/** What is announced of a file that goes straight to the storage. */
export const NewUpload = Closed(
  {
    filename: Type.String({ minLength: 1, maxLength: 255, description: 'Its name', examples: ['menu.pdf'] }),
    content_type: Type.String({
      maxLength: 127,
      pattern: '^[a-z]+/[a-z0-9][a-z0-9.+-]*$',
      says: 'must be a media type such as application/pdf',
      description: 'Its media type, as it will be sent: without parameters, in small letters',
      examples: ['application/pdf'],
    }),
    size: Type.Integer({ minimum: 1, maximum: 5_497_558_138_880, description: 'In bytes', examples: [48_213] }),
    ...NewFile.properties,
  },
  { title: 'NewUpload', examples: [{ filename: 'menu.pdf', content_type: 'application/pdf', size: 48_213 }] },
)
export type NewUpload = Static<typeof NewUpload>

export const DirectUpload = Closed(
  {
    id: Described(Uuid, 'The id of the upload, and of the file that it becomes'),
    method: OneOf(['PUT'], { description: 'How the file is sent' }),
    url: Type.String({
      secret: false,
      description: 'Where the file is sent, without a credential: the address itself is one',
      examples: ['https://files.example.com/uploads/01926f3c/0?X-Amz-Signature=…'],
    }),
    headers: Type.Record(Type.String(), Type.String(), {
      description: 'Headers to send with it, exactly so',
      examples: [{ 'content-type': 'application/pdf', 'content-length': '48213' }],
    }),
    expires_at: Described(Timestamp, 'Until when the address is good'),
  },
  { title: 'DirectUpload' },
)
export type DirectUpload = Static<typeof DirectUpload>

export const FilePatch = Patch(
  { filename: Line(255, 'menu.pdf', 'Its name; the ending stays what it is'), is_public },
  { title: 'FilePatch', examples: [{ filename: 'menu 2027.txt' }] },
)
export type FilePatch = Static<typeof FilePatch>

export const FileParams = Type.Object({ id: Described(Uuid, 'The id of the file') })

export const FileQuery = ListQuery({
  entity_type: Type.Optional(entity_type),
  entity_id: Type.Optional(Described(Uuid, 'Only files of this thing')),
  content_type: Type.Optional(
    Type.String({
      pattern: '^[a-z]+/(\\*|[a-z0-9][a-z0-9.+-]{0,100})$',
      says: 'must be a media type such as image/png, or image/*',
      description: 'Only files of this media type: `application/pdf`, `image/*`',
      examples: ['image/*'],
    }),
  ),
  q: Type.Optional(
    Search(
      100,
      'Part of the name, in upper or lower case. All names of the tenant may be read for it: name a thing or a type as well where there are many',
    ),
  ),
  trashed: Type.Optional(Type.Boolean({ description: 'True: what is in the trash, and only that', default: false })),
})
export type FileQuery = Static<typeof FileQuery>

export const DownloadQuery = Closed({
  inline: Type.Optional(
    Type.Boolean({
      description: 'Shown by the browser in place of being saved: pictures, sound, films and plain text',
    }),
  ),
})

export const NewLink = Closed(
  {
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 604_800,
        default: 3_600,
        description: 'Seconds until it ends; at most 7 days',
      }),
    ),
  },
  { title: 'NewLink', examples: [{ expires_in: 3_600 }] },
)
export type NewLink = Static<typeof NewLink>

export const Link = Closed(
  {
    url: Type.String({
      secret: false,
      description:
        'Downloads the file for whoever has it, until then, and as long as the file is there and its giver may see it',
      examples: ['https://app.example.com/api/v1/file-links/AZJvPHse…'],
    }),
    expires_at: Described(Timestamp, 'When it ends'),
  },
  { title: 'Link' },
)
export type Link = Static<typeof Link>
