import { Closed, type Ctx, changeOf, defineModule, defineSetting, Nullable, on, Type } from '#kernel'
import { builtinModules } from '../src/modules/index.ts'
import { storeSettingsUpdated, stores } from '../src/modules/stores/index.ts'
import { tenantSettingsUpdated, tenants } from '../src/modules/tenants/index.ts'
import { users } from '../src/modules/users/index.ts'

/** An application's settings: of each level, with and without a permission of their own, whole and field by field. */
export const doorsOpenMinutes = defineSetting('doors_open_minutes', {
  level: 'tenant',
  schema: Type.Integer({ minimum: 0, maximum: 240, description: 'How long before the play the doors open.' }),
  default: 30,
})

export const refundDays = defineSetting('refund_days', {
  level: 'tenant',
  schema: Type.Integer({ minimum: 0, maximum: 365 }),
  default: 14,
  permission: 'theatre.refund',
})

const QUIET = { before: 'Please be quiet', after: null }
export const signs = defineSetting('signs', {
  level: 'tenant',
  schema: Closed(
    { before: Nullable(Type.String({ maxLength: 80 })), after: Nullable(Type.String({ maxLength: 80 })) },
    { title: 'Signs' },
  ),
  default: QUIET,
  over: QUIET,
})

export const tillFloat = defineSetting('till_float_cents', {
  level: 'store',
  schema: Nullable(Type.Integer({ minimum: 0 })),
  default: null,
  permission: 'theatre.till',
})

export const newsletter = defineSetting('newsletter', { level: 'user', schema: Type.Boolean(), default: true })
export const seat = defineSetting('favourite_seat', {
  level: 'user',
  schema: Nullable(Type.String({ maxLength: 10 })),
  default: null,
})

/** What followers of changes were told, oldest first. */
export const heard: { minutes: number[]; floats: (number | null)[] } = { minutes: [], floats: [] }

const listen = async (_ctx: Ctx, values: unknown[], value: unknown) => {
  if (value !== undefined) values.push(value)
}

export const theatre = defineModule({
  name: 'theatre',
  dependsOn: [users, tenants, stores],
  permissions: {
    'theatre.refund': { description: 'Say how long tickets are taken back', roles: [] },
    'theatre.till': { description: 'Say how much is in the till', scope: 'store', roles: [] },
  },
  settings: [doorsOpenMinutes, refundDays, signs, tillFloat, newsletter, seat],
  listeners: [
    on(tenantSettingsUpdated, 'theatre.tell_ushers', (ctx, event) =>
      listen(ctx, heard.minutes, changeOf(event, doorsOpenMinutes)?.after),
    ),
    on(storeSettingsUpdated, 'theatre.tell_till', (ctx, event) =>
      listen(ctx, heard.floats, changeOf(event, tillFloat)?.after),
    ),
  ],
})

export const theatreModules = [...builtinModules, theatre]
