import Type from 'typebox'
import {
  afterFailure,
  Closed,
  type Ctx,
  DELIVERY_LEASE_MS,
  type DeliverySteps,
  defineJob,
  defineModule,
  defineSigningSecrets,
  deliver,
  deliverInTurns,
  type FailureColumns,
  HOURS,
  isFree,
  isHeld,
  type LeaseColumns,
  MINUTES,
  NO_FAILURES,
  NO_LEASE,
  newLease,
  type RetryPolicy,
  SECONDS,
  type Selectable,
  type SigningColumns,
  stamp,
  type TenantRow,
} from '#kernel'

interface HookTable extends TenantRow, SigningColumns {
  url: string
}
interface MessageTable extends TenantRow, FailureColumns, LeaseColumns {
  hook_id: string
  body: string
  status: 'pending' | 'delivered' | 'failed'
}
declare module '#kernel' {
  interface Tables {
    hooks: HookTable
    hook_messages: MessageTable
  }
}

export const hookSecrets = defineSigningSecrets('hooks', 'hook', 'secrets of hooks')

/** Three days and more, and then no longer. */
export const HOOK_RETRIES: RetryPolicy = {
  delaysMs: [5 * SECONDS, 5 * MINUTES, 30 * MINUTES, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOURS)],
  lastRepeats: false,
}

const sendMessage = defineJob('hooks.send', {
  payload: Closed({ id: Type.String() }),
  transaction: 'manual',
  outbound: true,
  handler: (ctx, { id }) => deliverInTurns(ctx, stepsOf(id)),
})

interface Turn {
  hook: Selectable<HookTable>
  message: Selectable<MessageTable>
}

const stepsOf = (id: string): DeliverySteps<Turn> => ({
  async begin(ctx) {
    const before = await lockMessage(ctx, id)
    if (before?.status !== 'pending' || !isFree(before, ctx.clock)) return null
    const message = await updateMessage(ctx, id, newLease(ctx.clock, DELIVERY_LEASE_MS))
    return { message, hook: await getHook(ctx, message.hook_id) }
  },
  send: (ctx, { hook, message: { body } }) =>
    deliver(ctx, hookSecrets, hook, { id: `msg_${id}`, body, contentType: 'application/json' }),
  async end(ctx, { message }, { error }) {
    const before = await lockMessage(ctx, id)
    if (!before || !isHeld(before, message)) return null
    if (error === null) {
      await updateMessage(ctx, id, { ...NO_LEASE, ...NO_FAILURES, status: 'delivered' })
      return null
    }
    const failed = afterFailure(before, error, ctx.clock, HOOK_RETRIES)
    const { next_attempt_at } = failed
    await updateMessage(ctx, id, { ...NO_LEASE, ...failed, status: next_attempt_at === null ? 'failed' : 'pending' })
    if (next_attempt_at !== null) await ctx.enqueue(sendMessage, { id }, { runAt: next_attempt_at })
    return null
  },
})

export async function addHook(ctx: Ctx, url: string): Promise<{ id: string; secret: string }> {
  const row = stamp(ctx)
  const { secret, columns } = hookSecrets.create(ctx, row.id)
  await ctx.tx
    .insertInto('hooks')
    .values({ ...row, ...columns, url })
    .execute()
  return { id: row.id, secret }
}

export async function rotateHook(ctx: Ctx, id: string): Promise<string> {
  const { secret, columns } = hookSecrets.rotate(ctx, await getHook(ctx, id))
  await ctx.tx.updateTable('hooks').set(columns).where('tenant_id', '=', ctx.tenantId).where('id', '=', id).execute()
  return secret
}

/** Sends a message to a hook, and has that asked for so many times. */
export async function addMessage(ctx: Ctx, hook_id: string, body: string, times = 1): Promise<string> {
  const row = { ...stamp(ctx), ...NO_LEASE, ...NO_FAILURES, hook_id, body, status: 'pending' } as const // the word is the type
  await ctx.tx.insertInto('hook_messages').values(row).execute()
  for (let time = 0; time < times; time++) await ctx.enqueue(sendMessage, { id: row.id })
  return row.id
}

export const getMessage = ({ tx, tenantId }: Ctx, id: string) =>
  tx
    .selectFrom('hook_messages')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()

const lockMessage = ({ tx, tenantId }: Ctx, id: string) =>
  tx
    .selectFrom('hook_messages')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()

const updateMessage = ({ tx, tenantId }: Ctx, id: string, change: Partial<Selectable<MessageTable>>) =>
  tx
    .updateTable('hook_messages')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

const getHook = ({ tx, tenantId }: Ctx, id: string) =>
  tx.selectFrom('hooks').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id).executeTakeFirstOrThrow()

/** What a module needs that delivers signed messages: a table of receivers, one of messages, and a job. */
export const hooks = defineModule({
  name: 'hooks',
  migrations: new URL('./hook-migrations/', import.meta.url),
  jobs: [sendMessage],
  sealed: [hookSecrets.sealed],
})
