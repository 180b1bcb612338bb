import {
  at,
  Closed,
  type Core,
  Described,
  type FieldProblem,
  Line,
  Moment,
  Nullable,
  OneOf,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'

const requests_per_minute = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Most requests in a minute, of all of its people and keys together; to let none through, suspend it',
  examples: [60],
})
const reason = Line(1000, 'An import of theirs repeats without end', 'Why; the tenant finds it in its own log')

export const Throttle = Closed(
  {
    requests_per_minute,
    until: Nullable(Described(Timestamp, 'When it ends by itself; null: when somebody ends it')),
    reason: Type.String({ description: 'Why, as an operator said' }),
    created_at: Described(Timestamp, 'Since when it is as it is'),
  },
  { title: 'Throttle', description: 'What an operator holds a tenant to. Its jobs run one at a time meanwhile' },
)
export type Throttle = Type.Static<typeof Throttle>

export const NewThrottle = Closed(
  {
    requests_per_minute,
    until: Type.Optional(Nullable(Moment('When it ends by itself; null or left out: when somebody ends it'))),
    reason,
  },
  {
    title: 'NewThrottle',
    examples: [{ requests_per_minute: 60, until: null, reason: 'An import of theirs repeats without end' }],
  },
)
export type NewThrottle = Type.Static<typeof NewThrottle>

/** A time that has passed would end it before it begins. */
export function* checkUntil({ until }: { until?: unknown }, { clock }: Core): Generator<FieldProblem> {
  if (typeof until !== 'string' || !(Date.parse(until) <= clock.ms())) return
  yield at('until', 'must be in the future')
}

export const ThrottleParams = Closed({ id: Uuid })

/** What records keep of a throttle. */
export const ThrottledTenant = Closed(
  {
    id: Described(Uuid, 'The tenant'),
    name: Type.String({ description: 'Its name' }),
    requests_per_minute: Type.Integer({ description: 'Most requests in a minute' }),
    until: Throttle.properties.until,
    reason: Throttle.properties.reason,
  },
  { title: 'ThrottledTenant' },
)
export type ThrottledTenant = Type.Static<typeof ThrottledTenant>

export const LoadQuery = Closed({
  window: Type.Optional(
    OneOf(['5m', '24h'], {
      default: '5m',
      description:
        '`5m`: the minute that has begun and the five before it; `24h`: a day, which begins with a quarter of an hour',
    }),
  ),
})
export type LoadWindow = NonNullable<Type.Static<typeof LoadQuery>['window']>

const LoadShare = Closed(
  {
    tenant_id: Described(Uuid, 'The tenant'),
    name: Nullable(Type.String({ description: 'Its name; null: it is gone' })),
    slug: Nullable(Type.String({ description: 'Its slug; null: it is gone' })),
    value: Type.Integer({ minimum: 1, description: 'How much it was' }),
    share: Type.Number({ minimum: 0, maximum: 1, description: 'Of `total`: 0.25 is a quarter' }),
    throttle: Nullable(Described(Throttle, 'What holds it back now; null: nothing')),
  },
  { title: 'LoadShare', description: 'What one tenant was of the whole' },
)

const measures = {
  db_ms:
    'Milliseconds that its transactions held a connection of the database, from their first statement to their end',
  requests: 'Requests with a credential of the tenant that were answered, refused ones too; none of operators',
  rows_written: 'Rows that its statements inserted, changed or deleted, also where that was undone',
  jobs: 'Attempts at jobs',
  bytes: 'Bytes of requests and answers, heads included',
  errors: 'Answers of 500 and above, and attempts at jobs that failed',
}
type Measured<S> = Record<keyof typeof measures, S>

const each = <S>(schemaOf: (description: string) => S) =>
  Object.fromEntries(Object.entries(measures).map(([name, text]) => [name, schemaOf(text)])) as Measured<S> // the same names

export const Load = Closed(
  {
    window: OneOf(['5m', '24h'], { description: 'What was asked for' }),
    from: Described(Timestamp, 'The first moment that is in the figures'),
    to: Described(
      Timestamp,
      'What came before it is in the figures, but for what a process has not written down yet, which it does every 15 seconds: now; of `24h` some minutes ago',
    ),
    complete: Type.Boolean({
      description:
        'False: not every tenant was told apart, since one process had more than 4,000 of them within 15 seconds, or this process counts nothing (`LOAD_BY_TENANT=off`)',
    }),
    total: Closed(
      each((description) => Type.Integer({ minimum: 0, description })),
      { description: 'The whole: all tenants, and what belongs to none' },
    ),
    by: Closed(
      each((description) => Type.Array(LoadShare, { maxItems: 20, description })),
      { description: 'For each measure the tenants with most of it, at most 20, the first being that with most' },
    ),
  },
  { title: 'Load', description: 'Which tenants make the installation work most' },
)
export type Load = Type.Static<typeof Load>
