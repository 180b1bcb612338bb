import { Closed, defineEvent, Type } from '#kernel'

export const auditExportedEverywhere = defineEvent('admin.audit_exported', {
  description: 'What happened in tenants and in the installation left it as a file',
  data: Closed({
    filters: Type.Record(Type.String(), Type.String(), { description: 'As they were asked for' }),
  }),
  resource: 'audit',
})
