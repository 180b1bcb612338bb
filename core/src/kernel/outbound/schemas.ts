import Type from 'typebox'
import { Closed, Nullable } from '../http/schemas.ts'
import { MAX_URL_LENGTH } from './outbound-url.ts'

/** A URL that requests are sent to, in a body; the route needs `check: checkUrlField`. */
export function OutboundUrl(example: string) {
  return Type.String({
    minLength: 1,
    maxLength: MAX_URL_LENGTH,
    description: 'Begins with `https://` and leads to a public address',
    examples: [example],
  })
}

/** A signing secret in the answers that show it. */
export const SigningSecret = Type.String({
  secret: true,
  description: 'Signs what is sent, as Standard Webhooks has it. Shown once.',
  examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwCwI1Q2T6yGE='],
})

/** The answer to a rotation. */
export function RotatedSecret(title: string) {
  return Closed(
    {
      secret: SigningSecret,
      previous_expires_at: Type.String({
        format: 'date-time',
        description: 'Until then the previous secret signs too',
      }),
    },
    { title },
  )
}

/** Fields of records about a receiver's URL and secret; see `recordUrl`. */
export const RecordedReceiver = {
  url: Type.String({ description: 'Without its query' }),
  query: Nullable(Type.String({ secret: true })),
  secret: Type.String({ secret: true }),
}
