import { defineEvent } from '#kernel'
import { OperatorRecord } from './schema.ts'

const about = { data: OperatorRecord, resource: 'operator' }

export const operatorChanged = defineEvent('admin.operator_changed', {
  description: 'A person became an operator of the installation, or may do something else there now',
  ...about,
})
export const operatorRemoved = defineEvent('admin.operator_removed', {
  description: 'A person is no operator of the installation any more',
  ...about,
})
