import { setTimeout as sleep } from 'node:timers/promises'
import { at, Closed, type Ctx, defineJob, fromNow, invalidRequest, newRow, pickFields, SECONDS, Uuid } from '#kernel'
import { announcementNotice } from '../kinds.ts'
import {
  countBusyTenants,
  findAnnouncement,
  insertAnnouncement,
  listKnownTenants,
  listNextTenants,
  updateAnnouncement,
} from './announcement-queries.ts'
import { announcementCreated } from './events.ts'
import { Announcement, type NewAnnouncement } from './schema.ts'
import type { AnnouncementRow } from './table.ts'

/** Has everybody told, in all tenants or in these. Called as the system role. Throws 400 for an id that is no tenant's. */
export async function announce(ctx: Ctx, { tenant_ids, ...texts }: NewAnnouncement): Promise<Announcement> {
  if (tenant_ids) await requireTenants(ctx, tenant_ids)
  const rest = { tenant_ids: tenant_ids ?? null, position: null, finished_at: null }
  const announcement = pickFields(Announcement, await insertAnnouncement(ctx.tx, { ...newRow(ctx), ...texts, ...rest }))
  await ctx.emit(announcementCreated, { after: announcement, label: announcement.title, storeId: null })
  await ctx.enqueue(announceOn, { id: announcement.id })
  return announcement
}

async function requireTenants(ctx: Ctx, ids: readonly string[]): Promise<void> {
  const known = await listKnownTenants(ctx.tx, ids)
  const errors = ids.flatMap((id, index) =>
    known.has(id.toLowerCase()) ? [] : [at(`tenant_ids/${index}`, 'is no tenant')],
  )
  if (errors.length > 0) throw invalidRequest({ errors })
}

/** Tenants whose people are told between two looks at how busy everything is. */
const STEP = 10
/** So many tenants may be waiting for their turn, each for a slice of a second at most, before more are added. */
const MOST_BUSY = 10
const PAUSE_MS = 0.1 * SECONDS
/** Then others get the place; the telling goes on a moment later. */
const RUN_MS = 10 * SECONDS
/** What others leave waiting for longer than this does not hold it up for ever. */
const PATIENCE_MS = 20 * SECONDS

const system = { role: 'system', tenantId: null } as const // words are types

/**
 * Has tenant after tenant told, only as fast as the queue keeps up, so that nobody else waits long. A step that a crash
 * repeats tells nobody twice: the announcement is the key that people are told under.
 */
export const announceOn = defineJob('notifications.announce', {
  payload: Closed({ id: Uuid }),
  transaction: 'manual',
  handler: async (ctx, { id }): Promise<void> => {
    const until = performance.now() + RUN_MS
    let idleSince = performance.now()
    for (;;) {
      const announcement = await ctx.transaction(({ tx }) => findAnnouncement(tx, id), system)
      if (!announcement || announcement.finished_at !== null) return
      if (performance.now() >= until) return goOnLater(ctx, id)
      if (performance.now() - idleSince < PATIENCE_MS && (await isBusy(ctx))) {
        await sleep(PAUSE_MS)
        continue
      }
      idleSince = performance.now()
      await step(ctx, announcement)
    }
  },
})

const isBusy = async (ctx: Ctx) =>
  (await ctx.transaction(({ tx, clock }) => countBusyTenants(tx, clock.now()), system)) >= MOST_BUSY

async function step(ctx: Ctx, announcement: AnnouncementRow): Promise<void> {
  const { id, title, message, type } = announcement
  const tenants = await ctx.transaction(({ tx }) => listNextTenants(tx, announcement, STEP), system)
  for (const tenantId of tenants)
    await ctx.transaction(
      (ctx) => ctx.notify(announcementNotice, { key: id, type, data: { title, message }, storeId: null }),
      { tenantId },
    )
  const now = ctx.clock.now()
  const position = tenants.at(-1) ?? announcement.position
  const finished_at = tenants.length < STEP ? now : null
  await ctx.transaction(({ tx }) => updateAnnouncement(tx, id, { position, finished_at, updated_at: now }), system)
}

const goOnLater = (ctx: Ctx, id: string): Promise<void> =>
  ctx.transaction((ctx) => ctx.enqueue(announceOn, { id }, { runAt: fromNow(ctx.clock, 1 * SECONDS) }), system)
