import type { Static, TObject } from 'typebox'
import type { Ctx } from '../context.ts'
import type { SettingLevel } from '../settings/define.ts'

/** Something that happened, worth recording: `store.created`. Its data schema feeds audit, catalogue and documents. */
export interface EventDefinition<D extends TObject = TObject> {
  /** `<resource>.<what happened>`; an application prefixes its own: `pos.sale.completed`. */
  readonly name: string
  readonly description: string
  /** What the event is about, in the singular: `store`. */
  readonly resource: string
  /**
   * The object as it stands on the wire. A property whose schema has `secret: true`, at any depth, is recorded as
   * `[redacted]`; what the schema does not name is not recorded at all. Of an object that the schema leaves open
   * (`additionalProperties: true`), its keys are recorded, or those that changed, with a hash for each value: so for
   * whatever has `recorded: 'hashed'`. With `recorded: 'whole'` it is recorded as it is. Listeners get the same.
   */
  readonly data: D
  /** The object has the settings of this level, which the start adds to `data`. */
  readonly settings?: SettingLevel
  /** It goes out, to webhooks and to whoever follows. Default: it stays inside. */
  readonly published?: Published
}

/**
 * How an event goes out: what its schema names and does not call secret, as `after`, or `before` of what is gone. `true`: under
 * its own name; `as`: under another, which several events may share whose data has the same schema.
 */
export type Published = boolean | { readonly as: string }

/** Declares an event. List it in the module's `events`. */
export function defineEvent<D extends TObject>(
  name: string,
  spec: { description: string; data: D; resource?: string; settings?: SettingLevel; published?: Published },
): EventDefinition<D> {
  return Object.freeze({ name, resource: spec.resource ?? name.slice(0, name.lastIndexOf('.')), ...spec })
}

/**
 * What `ctx.emit` takes: `after` for something new, `before` for something gone, both for a change. `Partial` because an
 * event may be about fewer fields than the object has.
 */
export interface EventContent<T> {
  /** The object's id; default: the `id` of `after` or `before`. */
  id?: string | null
  before?: Partial<T>
  after?: Partial<T>
  /** The object's name at the time (default: its `name`). */
  label?: string | null
  /** The store that it happened in (default: the context's). */
  storeId?: string | null
}

/** An event as a listener gets it. */
export interface EventRecord<T = unknown> {
  /** The id of the audit record: the same however often the listener runs. */
  id: string
  name: string
  tenantId: string
  /** ISO 8601 UTC. */
  at: string
  actor: { type: string; id: string | null; label: string; impersonatorId: string | null }
  storeId: string | null
  resource: string
  resourceId: string | null
  before: Partial<T> | null
  after: Partial<T> | null
}

export interface Listener {
  /** Event name, or `*` for every event. */
  readonly event: string
  /** Unique among the listeners of that event: `<module>.<what it does>`. */
  readonly name: string
  /** Runs in the transaction of the event itself, not in a job after it. */
  readonly isInner: boolean
  readonly handle: (ctx: Ctx, event: EventRecord<never>) => Promise<void>
}

/**
 * Declares a listener of an event. It runs in its own job after the commit, in the context of the tenant, at least
 * once, so it must be repeatable (`event.id` stays the same).
 */
export function on<D extends TObject>(
  event: EventDefinition<D>,
  name: string,
  handle: (ctx: Ctx, event: EventRecord<Static<D>>) => Promise<void>,
): Listener {
  // The registry hands a listener only events of its own definition.
  return Object.freeze({ event: event.name, name, isInner: false, handle: handle as Listener['handle'] })
}

/**
 * Declares a listener of an event that runs where it is emitted: in the same transaction, as whoever acts, and once, for
 * what must be true together with the change. What it throws undoes the change; it is not tried again.
 */
export function within<D extends TObject>(
  event: EventDefinition<D>,
  name: string,
  handle: (ctx: Ctx, event: EventRecord<Static<D>>) => Promise<void>,
): Listener {
  // As for `on`.
  return Object.freeze({ event: event.name, name, isInner: true, handle: handle as Listener['handle'] })
}

/** Declares a listener of all events of all tenants, for webhooks or notifications. */
export function onEvery(name: string, handle: (ctx: Ctx, event: EventRecord) => Promise<void>): Listener {
  // A handler of unknown data takes any event.
  return Object.freeze({ event: '*', name, isInner: false, handle: handle as Listener['handle'] })
}
