import { WANTED } from './audit-history.ts'

/** So many days ago. */
export const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString()
/** The filters that are compared, by what a row of the results is called. */
export const cases: Record<string, Record<string, string>> = {
  none: {},
  action: { action: WANTED.action },
  action_prefix: { action: 'store.*' },
  action_rare: { action: 'webhook.*' },
  action_absent: { action: 'nothing.happened' },
  resource_type: { resource_type: 'store' },
  resource_type_rare: { resource_type: 'webhook' },
  resource_type_absent: { resource_type: 'nothing' },
  resource: { resource_id: WANTED.resource_id },
  resource_absent: { resource_id: 'nothing' },
  person: { user_id: WANTED.user_id },
  person_absent: { user_id: '00000000-0000-7000-8000-999999999999' },
  store: { store_id: WANTED.store_id },
  address: { ip_address: WANTED.ip_address },
  address_absent: { ip_address: '10.0.0.1' },
  time: { from: day(200), to: day(190) },
  action_and_person: { action: WANTED.action, user_id: WANTED.user_id },
  type_and_store: { resource_type: 'store', store_id: WANTED.store_id },
  text_common: { q: 'person' },
  text_one_person: { q: 'person 7' },
  text_many_names: { q: 'sale' },
  text_few_of_many: { q: 'smith' },
  text_action: { q: 'let' },
  text_rare: { q: 'larch' },
  text_absent: { q: 'zebra' },
  text_rare_and_time: { q: 'larch', from: day(200), to: day(100) },
  text_rare_and_person: { q: 'larch', user_id: WANTED.user_id },
  text_common_and_action: { q: 'person 7', action: WANTED.action },
}
