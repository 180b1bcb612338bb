import { Closed, defineEvent, OneOf, Type } from '#kernel'
import { FORMATS } from './schema.ts'

/** Recorded before the first record leaves, so that an export that is broken off is recorded too. */
export const auditExported = defineEvent('audit.exported', {
  description: 'Somebody exported records of the audit log',
  data: Closed({
    format: OneOf(FORMATS),
    filters: Type.Record(Type.String(), Type.String(), { description: 'As they were asked for' }),
  }),
})
