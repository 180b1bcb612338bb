import type { Readable } from 'node:stream'
import { type RawBuilder, sql } from 'kysely'
import Type, {
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TStringOptions,
  type TUnsafe,
} from 'typebox'
import { FORMS, type FormName } from './forms.ts'

/** A UUID as clients see it. */
export const Uuid = Type.String({ format: 'uuid', examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'] })
/** ISO 8601 UTC with milliseconds. */
export const Timestamp = Type.String({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] })

/**
 * The same schema with its own description: meaning, unit and limits of a field. It is in the API document and in
 * generated clients.
 */
export function Described<T extends TSchema>(schema: T, description: string): T {
  return Type.With(schema, { description }) as T // a description changes nothing about what fits
}

/** The `id` of what an object shows. */
export const OwnId = Described(Uuid, 'Its id: a UUIDv7, so that what was made later sorts later')
/** The `tenant_id` of what an object shows. */
export const TenantId = Described(Uuid, 'The tenant that it belongs to')
/** When what an object shows was made. */
export const CreatedAt = Described(Timestamp, 'When it was made')
/** When what an object shows was last changed. */
export const UpdatedAt = Described(Timestamp, 'When it was last changed; the same as `created_at` if never')

// A visible character, any blanks before it, and no control characters: with a line break a name could add headers to a
// mail. It works in any regular-expression dialect and in linear time.
const VISIBLE_LINE = '^[^\\S\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$'

/**
 * One line of visible text such as a name or a telephone number. It is stored composed (NFC), without invisible
 * characters, with single spaces between words and none around them.
 */
export function Line(maxLength: number, example: string, description?: string) {
  return formed('line', {
    minLength: 1,
    maxLength,
    ...(description === undefined ? {} : { description }),
    pattern: VISIBLE_LINE,
    says: 'must be a single line that shows something',
    ...(description === undefined ? {} : { description }),
    examples: [example],
  })
}

/**
 * The text of a search, as `?q=`: blanks around and repeated blanks between words do not count; blanks alone search for
 * nothing.
 */
export function Search(maxLength: number, description: string) {
  return formed('search', { maxLength, description })
}

/** An e-mail address as typed. It is normalised before it is checked, so it has no pattern. */
export const Email = formed('email', { minLength: 3, maxLength: 254, examples: ['ada@example.com'] })

/** An IANA time zone such as `Europe/Berlin`, kept in that spelling. */
export const TimeZone = formed('time_zone', {
  maxLength: 64,
  description: 'IANA time zone',
  examples: ['Europe/Berlin'],
})

/** A BCP 47 language tag such as `en` or `de-CH`, kept in its canonical form. */
export const Locale = formed('locale', { maxLength: 35, description: 'BCP 47 language tag', examples: ['de-CH'] })

/** A time with any offset from UTC; the handler gets it in UTC. */
export function Moment(description: string, example = '2026-01-31T12:00:00.000Z') {
  return formed('moment', { format: 'date-time', description, examples: [example] })
}

/** A day without a time, such as `2026-01-31`; a `date` column is the same text. */
export function Day(description: string) {
  return Type.String({ format: 'date', description, examples: ['2026-01-31'] })
}

function formed(form: FormName, options: TStringOptions & { says?: string }) {
  const { fits, says } = FORMS[form]
  return Type.Refine(Type.String({ ...options, form }), fits, () => says)
}

/** Checks in addition to JSON Schema. */
type Refined = TSchema & { '~refine'?: { check(value: unknown): boolean; error(value: unknown): string }[] }

/**
 * The same schema with null allowed, as a list of types: a union would be tried branch by branch at each validation and
 * serialisation.
 */
export function Nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  // Every schema given here has a single JSON type; an enum gains null as one more value.
  const plain = schema as Refined & { type?: string; enum?: unknown[] }
  const nullable = Type.Unsafe<Static<T> | null>({
    ...plain,
    type: [plain.type ?? 'object', 'null'],
    ...(plain.enum ? { enum: [...plain.enum, null] } : {}),
  })
  // The spread omits these checks, because they are not enumerable.
  return (plain['~refine'] ?? []).reduce(
    (refined, { check, error }) => Type.Refine(refined, (value) => value === null || check(value), error),
    nullable,
  )
}

/** One of several words. */
export function OneOf<const T extends readonly string[]>(
  words: T,
  options: Record<string, unknown> = {},
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...options })
}

/** A closed object: unknown fields are refused on the way in and left out on the way out. */
export function Closed<P extends TProperties>(properties: P, options: Record<string, unknown> = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

/** The body of a change: a closed object of which every field may be left out. */
export function Patch<P extends TProperties>(properties: P, options: Record<string, unknown> = {}) {
  return Type.Partial(Closed(properties), { additionalProperties: false, ...options })
}

export const DEFAULT_PAGE = 20
export const MAX_PAGE = 100

const paging = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: 'Rows of a page' }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      description: '`next_cursor` of the page before; leave out for the first',
    }),
  ),
}

/** The query of a list: its filters, and the page asked for. */
export function ListQuery<P extends TProperties>(filters: P) {
  return Type.Object({ ...filters, ...paging }, { additionalProperties: false })
}

/** The answer of a list that can grow. */
export function Page<T extends TSchema>(item: T) {
  return Closed({
    data: Type.Array(item, { description: 'The rows of this page' }),
    next_cursor: Nullable(Type.String({ description: 'Give it as `cursor` for the next page; null on the last' })),
  })
}

/** The answer of a list that stays short. */
export function Short<T extends TSchema>(item: T) {
  return Closed({ data: Type.Array(item, { description: 'All of them' }) })
}

/** A stream, or a function that opens it, which is called only if it is read; not for HEAD. */
export type StreamBody = Readable | (() => Readable | Promise<Readable>)

/** The body of a streamed answer, for manual routes with `produces`. */
export const Streamed = Type.Unsafe<StreamBody>({ type: 'string' })

/** A problem document (RFC 9457), the form of all errors. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI of the kind of problem; one for each `code`' }),
    title: Type.String({ description: 'The kind of problem in a few words, the same for each of its `code`' }),
    status: Type.Integer({ description: 'The HTTP status once more, for those who keep only the body' }),
    detail: Type.String({ description: 'What happened here, in a sentence for people' }),
    code: Type.String({ description: 'The kind of problem in one word: stable, and what a program decides by' }),
    request_id: Type.String({ description: 'The `X-Request-ID` of the answer: what to tell whoever runs the server' }),
    errors: Type.Optional(
      Type.Array(
        Closed({
          pointer: Type.String({
            description:
              'Where: a JSON Pointer into the body (`#/address/city`), or `query/limit`, `params/id`, `headers/x-store-id`',
          }),
          detail: Type.String({ description: 'What is wrong there; completes a sentence that begins with the field' }),
        }),
        {
          maxItems: 50,
          description: 'With `invalid_request` and where one field is to blame: up to 50 places, all at once',
        },
      ),
    ),
  },
  {
    title: 'Problem',
    description:
      'RFC 9457. Some codes bring members of their own, such as `limit`, `max` and `used` of `plan_limit_reached`',
    additionalProperties: true,
  },
)

/** A value for a jsonb column in a raw statement. */
export function json<T>(value: T): RawBuilder<T> {
  return sql<T>`cast(${JSON.stringify(value)} as jsonb)`
}
