import type { Ctx } from '#kernel'
import type { Outcome, Parcel } from './attempts.ts'
import { mailer } from './mailer.ts'
import { markOf } from './message-id.ts'
import { renderFor } from './render.ts'
import { MailError } from './replies.ts'
import { zoneOf } from './time-zone.ts'
import { offerOf, subscriptionOf } from './unsubscribe/offer.ts'

/** Writes a mail and hands it to the mail server. In no transaction, because the server may be slow. */
export async function sendParcel(ctx: Ctx, parcel: Parcel): Promise<Outcome> {
  const { row, mail, data, sender, brand } = parcel
  const { bounceDomain } = ctx.config.mail
  const mark = markOf(ctx.secrets, { tenantId: ctx.tenant, id: row.id })
  try {
    const offer = offerOf(ctx, subscriptionOf(row))
    const reader = { locale: row.locale, timezone: zoneOf(row.timezone, brand?.timezone) }
    const written = renderFor(ctx, mail, data, reader, { brand, unsubscribeUrl: offer?.pageUrl })
    const reply = await ctx.use(mailer).send({
      ...written,
      id: row.id,
      to: row.to,
      fromName: row.from_name ?? undefined,
      sender,
      messageId: ctx.use(mailer).messageId(mark),
      bounceAddress: bounceDomain && `${mark}@${bounceDomain}`,
      unsubscribeUrl: offer?.oneClickUrl,
    })
    return { name: 'taken', reply }
  } catch (error) {
    return outcomeOf(ctx, parcel, error)
  }
}

function outcomeOf(ctx: Ctx, { row: { id, kind, attempts } }: Parcel, error: unknown): Outcome {
  if (!(error instanceof MailError)) {
    ctx.log.error({ err: error, mail_id: id, kind }, 'a mail could not be written')
    return { name: 'put_off', reply: null, reason: 'unreadable' }
  }
  const { verdict, reply, isPermanent } = error
  const message = isPermanent ? 'a mail was refused for good' : 'a mail was not taken, and is tried again'
  ctx.log[isPermanent ? 'error' : 'warn']({ err: error, mail_id: id, kind, attempt: attempts }, message)
  switch (verdict) {
    case 'away':
      return { name: 'put_off', reply, reason: 'unreachable' }
    case 'put_off':
      return { name: 'put_off', reply }
    case 'refused':
      return { name: 'refused', reply }
    case 'bounced':
    case 'dead':
      return { name: 'bounced', reply, isDead: verdict === 'dead' }
  }
}
