import type { Ctx } from '#kernel'
import { pushConfiguration } from './configuration.ts'

/** What this installation says it is to push services. */
export interface Vapid {
  publicKey: string
  privateKey: string
  /** Whom a push service may turn to. */
  subject: string
}

/** Null: nothing is pushed here. */
export function vapidOf({ config }: Pick<Ctx, 'config'>): Vapid | null {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey } = config.of(pushConfiguration)
  if (publicKey === null || privateKey === null) return null
  const { publicUrl } = config.http
  // Push services take no address that begins otherwise.
  const subject = publicUrl.startsWith('https:') ? publicUrl : `mailto:webmaster@${new URL(publicUrl).hostname}`
  return { publicKey, privateKey, subject }
}
