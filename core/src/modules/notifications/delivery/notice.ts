import { Closed, NOTIFICATION_TYPES, Nullable, OneOf, type Static, Type, Uuid } from '#kernel'

/** What is told, and whom of it is still to be told. */
export const FanOut = Closed({
  kind: Type.String(),
  /** The event, or what else it is told for. */
  key: Uuid,
  at: Type.String(),
  type: Nullable(OneOf(NOTIFICATION_TYPES)),
  data: Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true }),
  store_id: Nullable(Uuid),
  actor_id: Nullable(Uuid),
  /** Those that it names. */
  to: Nullable(Type.Array(Uuid)),
  /** Everybody up to here was told. */
  after: Nullable(Uuid),
})
export type FanOut = Static<typeof FanOut>
