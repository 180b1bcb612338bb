import type { Ctx } from '../context.ts'
import { sendUnawaited } from '../db/kysely.ts'
import { rowFiller } from '../db/prepared.ts'
import { AUDIT_COLUMNS, type AuditLogTable } from '../db/tables.ts'
import { publish } from '../feed/publish.ts'
import { newId } from '../ids.ts'
import { insertJobs } from '../jobs/enqueue.ts'
import type { EventContent, EventDefinition, EventRecord, Listener } from './define.ts'
import { hashFor } from './hashed.ts'
import { redact, redactChange, type Values } from './redact.ts'

/** The task name of a listener's job. */
export const taskOfListener = (listener: Listener) => `on:${listener.event}:${listener.name}`

type AuditRow = Omit<AuditLogTable, 'tenant_id'>

const record = rowFiller<AuditLogTable, unknown>(['tenant_id', ...AUDIT_COLUMNS], (tx, row) =>
  tx.insertInto('audit_logs').values(row),
)
const globalRecord = rowFiller<AuditRow, unknown>(AUDIT_COLUMNS, (tx, row) =>
  tx.insertInto('global_audit_logs').values(row),
)

/**
 * Writes the one record of an event, in the transaction of `ctx`, and one job for each listener. An event that nobody
 * follows costs this one insert; outside of a tenant it is recorded in the global table and has no listeners. None of it
 * is waited for (the transaction fails if it does) but listeners that belong to the change itself.
 */
export async function emitEvent(ctx: Ctx, { name }: EventDefinition, content: EventContent<Values>): Promise<void> {
  const { registry } = ctx
  // Throws for an event that no module declares, also outside of a tenant.
  const listeners = registry.listenersOf(name)
  // The definition including data added by other modules.
  const event = registry.events.get(name)! // or there were no listeners of it, not even none
  const row = recordOf(ctx, event, content)
  if (ctx.tenant === null) {
    sendUnawaited(ctx.tx, globalRecord(asJson(row)))
    return
  }
  sendUnawaited(ctx.tx, record({ tenant_id: ctx.tenant, ...asJson(row) }))
  const outward = registry.publishedFrom(name)
  if (outward) publish(ctx, outward, row, content.after ?? content.before ?? {})
  const inner = registry.innerListenersOf(name)
  if (listeners.length + inner.length === 0) return
  const payload = followed(ctx, event, row, content)
  const jobs = listeners.map((each) => ({ task: taskOfListener(each), payload, maxAttempts: LISTENER_ATTEMPTS }))
  if (jobs.length > 0) insertJobs(ctx, jobs)
  for (const { handle } of inner) await handle(ctx, payload as never) // of its own event, as the types of `within` say
}

const LISTENER_ATTEMPTS = 15

function recordOf(ctx: Ctx, event: EventDefinition, content: EventContent<Values>): AuditRow {
  const { before, after } = content
  const hash = hashFor(ctx.secrets, ctx.tenant)
  const [old, now] =
    before && after
      ? redactChange(event.data, before, after, hash)
      : [redact(event.data, before, hash), redact(event.data, after, hash)]
  const about = after ?? before
  const { actor, origin } = ctx
  return {
    id: newId(),
    created_at: ctx.clock.now(),
    action: event.name,
    actor_type: actor.type,
    actor_id: actor.id,
    actor_label: actor.label,
    impersonator_id: actor.impersonatorId,
    resource_type: event.resource,
    resource_id: content.id ?? textOf(about?.id),
    resource_label: content.label ?? textOf(about?.name),
    store_id: content.storeId === undefined ? ctx.recordedStoreId : content.storeId,
    old_values: old ?? null,
    new_values: now ?? null,
    ip_address: origin.ipAddress,
    user_agent: origin.userAgent,
    request_id: origin.requestId,
  }
}

function followed(ctx: Ctx, event: EventDefinition, row: AuditRow, content: EventContent<Values>): EventRecord {
  const hash = hashFor(ctx.secrets, ctx.tenant)
  return {
    id: row.id,
    name: row.action,
    tenantId: ctx.tenantId,
    at: row.created_at,
    actor: {
      type: row.actor_type,
      id: row.actor_id,
      label: row.actor_label,
      impersonatorId: row.impersonator_id,
    },
    storeId: row.store_id,
    resource: row.resource_type,
    resourceId: row.resource_id,
    before: redact(event.data, content.before, hash) ?? null,
    after: redact(event.data, content.after, hash) ?? null,
  }
}

/** jsonb takes text: pg would turn a JavaScript array into a PostgreSQL one. */
function asJson(row: AuditRow): AuditRow {
  return {
    ...row,
    old_values: row.old_values === null ? null : JSON.stringify(row.old_values),
    new_values: row.new_values === null ? null : JSON.stringify(row.new_values),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
