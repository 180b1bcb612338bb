import { defineEvent } from '#kernel'
import { SinkRecord } from './schema.ts'

const data = SinkRecord

export const auditSinkCreated = defineEvent('audit_sink.created', {
  description: 'The audit log is streamed to one more place',
  data,
})
export const auditSinkUpdated = defineEvent('audit_sink.updated', {
  description: 'A stream of the audit log leads elsewhere, or is described otherwise',
  data,
})
export const auditSinkDeleted = defineEvent('audit_sink.deleted', {
  description: 'A stream of the audit log was ended',
  data,
})
export const auditSinkPaused = defineEvent('audit_sink.paused', {
  description: 'A stream of the audit log was paused, or paused itself after days of failures',
  data,
})
export const auditSinkResumed = defineEvent('audit_sink.resumed', {
  description: 'A stream of the audit log goes on where it was paused',
  data,
})
export const auditSinkSecretRotated = defineEvent('audit_sink.secret_rotated', {
  description: 'A stream of the audit log is signed with a new secret',
  data,
})
export const auditSinkFailing = defineEvent('audit_sink.failing', {
  description: 'The receiver of a stream of the audit log took nothing in ten attempts; it is tried for 72 hours',
  data,
})
