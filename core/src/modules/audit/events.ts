import { Closed, defineEvent, OneOf, Timestamp, Type } from '#kernel'
import { FORMATS } from './schema.ts'

/** Recorded before the first record is sent, so that an aborted export is recorded too. */
export const auditExported = defineEvent('audit.exported', {
  description: 'Somebody exported records of the audit log',
  data: Closed({
    format: OneOf(FORMATS),
    filters: Type.Record(Type.String(), Type.String(), { description: 'As they were asked for' }),
    proof: Type.Optional(Type.Boolean({ description: 'With the seals of the records' })),
  }),
})

/** Emitted in the transaction that adds the removal to the chain; from then on the records may be missing. */
export const auditRemoved = defineEvent('audit.removed', {
  description: 'Records of the audit log were kept for as long as the settings say, and are removed',
  data: Closed({
    before: Timestamp,
    records: Type.Integer({ minimum: 0, description: 'Of an earlier time than that' }),
    archived: Type.Boolean({ description: 'Whether they were written to the file storage' }),
  }),
})
