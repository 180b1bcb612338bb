import { createHmac } from 'node:crypto'
import { type Ctx, equalSecrets, type Subscription } from '#kernel'

/** A subscription and the tenant whose mails it is about. */
export interface Ended extends Subscription {
  tenantId: string
}

const PURPOSE = 'mail.unsubscribe'
const ID_BYTES = 16
const MAC_BYTES = 16
const MAX_KIND_BYTES = 200

/** Names tenant, person and kind, and is good for as long as mails are kept: it opens nothing but the one switch. */
export function unsubscribeToken({ secrets }: Pick<Ctx, 'secrets'>, { tenantId, userId, kind }: Ended): string {
  const content = Buffer.concat([bytesOf(tenantId), bytesOf(userId), Buffer.from(kind)])
  return `${content.toString('base64url')}.${sign(secrets.derive(PURPOSE), content).toString('base64url')}`
}

/** What a token names; null for one that is not ours. One that an earlier `APP_SECRET` signed is good while that is configured. */
export function readUnsubscribeToken({ secrets }: Pick<Ctx, 'secrets'>, token: string): Ended | null {
  const [, named = '', signed = ''] = /^([\w-]{44,320})\.([\w-]{22})$/.exec(token) ?? []
  const content = Buffer.from(named, 'base64url')
  const mac = Buffer.from(signed, 'base64url')
  if (content.length <= 2 * ID_BYTES || content.length > 2 * ID_BYTES + MAX_KIND_BYTES) return null
  if (!secrets.deriveAll(PURPOSE).some((key) => equalSecrets(sign(key, content), mac))) return null
  return {
    tenantId: idOf(content.subarray(0, ID_BYTES)),
    userId: idOf(content.subarray(ID_BYTES, 2 * ID_BYTES)),
    kind: content.subarray(2 * ID_BYTES).toString(),
  }
}

const sign = (key: Buffer, content: Buffer) => createHmac('sha256', key).update(content).digest().subarray(0, MAC_BYTES)
const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const idOf = (bytes: Buffer) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
