import { createPublicKey } from 'node:crypto'
import {
  at,
  Closed,
  type Core,
  CreatedAt,
  Described,
  type FieldProblem,
  MAX_URL_LENGTH,
  Nullable,
  OwnId,
  problemOfOutboundUrl,
  type Static,
  TenantId,
  Type,
  type Unchecked,
  UpdatedAt,
  Uuid,
} from '#kernel'

const endpoint = Type.String({
  minLength: 1,
  maxLength: MAX_URL_LENGTH,
  description: 'Where its push service takes messages for it, as the browser says; begins with `https://`',
  examples: ['https://push.example.net/send/9f2c'],
})

export const NewPushSubscription = Closed(
  {
    endpoint,
    expirationTime: Type.Optional(
      Nullable(Type.Number({ description: 'As the browser says; not looked at', examples: [1_893_456_000_000] })),
    ),
    keys: Closed(
      {
        p256dh: Type.String({
          secret: true,
          minLength: 1,
          maxLength: 100,
          description: 'The public key of the browser: 65 bytes in base64url',
          examples: ['BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'],
        }),
        auth: Type.String({
          secret: true,
          minLength: 1,
          maxLength: 40,
          description: 'The secret of the browser: 16 bytes in base64url',
          examples: ['BTBZMqHH6r4Tts7J_aSIgg'],
        }),
      },
      { description: 'What is sent is encrypted with' },
    ),
  },
  { title: 'NewPushSubscription', description: 'What `PushSubscription.toJSON()` of a browser gives' },
)
export type NewPushSubscription = Static<typeof NewPushSubscription>

export const PushSubscription = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    user_id: Described(Uuid, 'Whose browser it is'),
    service: Type.String({ description: 'The host of its push service', examples: ['push.example.net'] }),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'PushSubscription', description: 'A browser that notifications are pushed to' },
)
export type PushSubscription = Static<typeof PushSubscription>

export const PushSubscriptionParams = Closed({ id: Uuid })
export const PushSubscriptionQuery = Closed({ endpoint })

export const PushKey = Closed(
  {
    public_key: Type.String({
      description: 'The `applicationServerKey` that a browser subscribes with',
      examples: ['BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'],
    }),
  },
  { title: 'PushKey' },
)

/** What its schema cannot say of a subscription. */
export function* checkSubscription(
  { endpoint, keys }: Unchecked<NewPushSubscription>,
  { config }: Core,
): Generator<FieldProblem> {
  const problem = typeof endpoint === 'string' && endpoint !== '' ? problemOfOutboundUrl(endpoint, config) : null
  if (problem !== null) yield at('endpoint', problem)
  const { p256dh, auth }: { p256dh?: unknown; auth?: unknown } = Object(keys) // whatever came
  if (typeof p256dh === 'string' && p256dh !== '' && !isOnCurve(p256dh))
    yield at('keys/p256dh', 'must be a point on the curve P-256: 65 bytes in base64url')
  if (typeof auth === 'string' && auth !== '' && bytesOf(auth)?.length !== 16)
    yield at('keys/auth', 'must be 16 bytes in base64url')
}

/** Browsers write base64url without padding; some libraries pad it. */
function bytesOf(text: string): Buffer | null {
  return /^[\w-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : null
}

function isOnCurve(text: string): boolean {
  const point = bytesOf(text)
  if (point?.length !== 65 || point[0] !== 4) return false
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
  try {
    createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}
