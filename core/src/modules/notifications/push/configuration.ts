import { createECDH } from 'node:crypto'
import { defineConfiguration, kinds } from '#kernel'

const HALF = [
  'VAPID_PUBLIC_KEY is set, but VAPID_PRIVATE_KEY is not: nothing could be signed.',
  'VAPID_PRIVATE_KEY is set, but VAPID_PUBLIC_KEY is not: no browser could subscribe.',
] as const // sentences

export const pushConfiguration = defineConfiguration(
  {
    VAPID_PUBLIC_KEY: {
      kind: kinds.text('a key in base64url', 200),
      default: null,
      description:
        'The public key by which push services of browsers know this installation (VAPID, RFC 8292): 65 bytes in base64url. With it people may have notifications pushed. Changing it ends all subscriptions.',
    },
    VAPID_PRIVATE_KEY: {
      kind: kinds.secret(),
      default: null,
      secret: true,
      description: 'The private key of that pair: 32 bytes in base64url.',
    },
  },
  ({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }) => {
    if (publicKey === null && privateKey === null) return []
    if (publicKey === null) return [HALF[1]]
    if (privateKey === null) return [HALF[0]]
    return isPair(publicKey, privateKey)
      ? []
      : ['VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are no pair of keys on the curve P-256, in base64url.']
  },
)

function isPair(publicKey: string, privateKey: string): boolean {
  try {
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(Buffer.from(privateKey, 'base64url'))
    return pair.getPublicKey().equals(Buffer.from(publicKey, 'base64url'))
  } catch {
    return false
  }
}
