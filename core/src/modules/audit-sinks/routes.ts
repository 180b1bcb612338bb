import { checkUrlField, conflict, defineRoute, type Route, Short } from '#kernel'
import { addSink, changeSink, readSink, readSinks, removeSink } from './operations.ts'
import { probeSink } from './probe.ts'
import {
  AuditSink,
  AuditSinkPatch,
  AuditSinkWithSecret,
  NewAuditSink,
  ProbeResult,
  RotatedSecret,
  SinkParams,
} from './schema.ts'
import { rotateSecret } from './secrets.ts'
import { pauseSink, resumeSink } from './states.ts'

const access = { permission: 'audit.stream' }
/** Where the records of operators go is not theirs to change. */
const impersonation = 'refused'

export const auditSinkRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/audit/sinks',
    summary: 'List where the audit log is streamed to',
    description: 'Oldest first.',
    access,
    response: { 200: Short(AuditSink) },
    handler: readSinks,
  }),
  defineRoute({
    method: 'POST',
    path: '/audit/sinks',
    summary: 'Stream the audit log to a server',
    description:
      'Each record is sent at least once and in order, as lines of JSON in signed batches; any 2xx confirms a batch. Three sinks at most. The secret is shown here only; so no `Idempotency-Key` is taken.',
    access,
    impersonation,
    body: NewAuditSink,
    check: checkUrlField,
    response: { 201: AuditSinkWithSecret },
    errors: [conflict],
    handler: (ctx, { body }) => addSink(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/audit/sinks/:id',
    summary: 'Get a sink of the audit log',
    access,
    params: SinkParams,
    response: { 200: AuditSink },
    handler: (ctx, { params }) => readSink(ctx, params.id),
  }),
  defineRoute({
    method: 'PUT',
    path: '/audit/sinks/:id',
    summary: 'Change a sink of the audit log',
    description: 'A new URL gets whatever the old one has not confirmed.',
    access,
    impersonation,
    params: SinkParams,
    body: AuditSinkPatch,
    check: checkUrlField,
    response: { 200: AuditSink },
    handler: (ctx, { params, body }) => changeSink(ctx, params.id, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/audit/sinks/:id',
    summary: 'Stop streaming to a sink and forget it',
    access,
    impersonation,
    params: SinkParams,
    response: { 204: null },
    handler: (ctx, { params }) => removeSink(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/audit/sinks/:id/pause',
    summary: 'Pause a sink of the audit log',
    description: 'A batch that is under way is still sent. What happens meanwhile is its backlog.',
    access,
    impersonation,
    params: SinkParams,
    response: { 200: AuditSink },
    handler: (ctx, { params }) => pauseSink(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/audit/sinks/:id/resume',
    summary: 'Go on with a sink of the audit log where it was paused',
    access,
    impersonation,
    params: SinkParams,
    response: { 200: AuditSink },
    handler: (ctx, { params }) => resumeSink(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/audit/sinks/:id/rotate-secret',
    summary: 'Sign what a sink gets with a new secret',
    description:
      'The previous secret signs too for 24 hours. The new one is shown here only; so no `Idempotency-Key` is taken.',
    access,
    impersonation,
    params: SinkParams,
    response: { 200: RotatedSecret },
    handler: (ctx, { params }) => rotateSecret(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/audit/sinks/:id/test',
    summary: 'Send a signed empty batch to a sink now',
    access,
    impersonation,
    transaction: 'manual',
    params: SinkParams,
    response: { 200: ProbeResult },
    handler: (ctx, { params }) => probeSink(ctx, params.id),
  }),
]
