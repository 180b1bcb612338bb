import { type Ctx, conflict, defineSetting, Type } from '#kernel'
import { findUser } from '../users/index.ts'

export const requireTwoFactor = defineSetting('require_two_factor', {
  level: 'tenant',
  schema: Type.Boolean({
    description: 'Members must use a second factor. Who sets it must use one already.',
    examples: [false],
  }),
  default: false,
  ownOnly: true,
  errors: [conflict],
  change: async (ctx, { before, given }) => {
    if (given && !before) await requireOwnTwoFactor(ctx)
    return { require_two_factor: given }
  },
})

export const twoFactorGraceDays = defineSetting('two_factor_grace_days', {
  level: 'tenant',
  schema: Type.Integer({
    minimum: 0,
    maximum: 90,
    description: 'How many days members may take to set it up.',
    examples: [7],
  }),
  default: 7,
  ownOnly: true,
})

export const sessionMaxAgeHours = defineSetting('session_max_age_hours', {
  level: 'tenant',
  schema: Type.Integer({
    minimum: 1,
    maximum: 8760,
    description: 'Hours after which a session ends, used or not.',
    examples: [720],
  }),
  default: 720,
  ownOnly: true,
})

/** All that this module declares. */
export const authSettings = [requireTwoFactor, twoFactorGraceDays, sessionMaxAgeHours]

// An admin cannot require a second factor that they have not set up themselves; an API key has none at all.
async function requireOwnTwoFactor(ctx: Ctx): Promise<void> {
  const userId = ctx.principal?.userId
  const person = userId ? await findUser(ctx.tx, userId) : undefined
  if (!person?.two_factor_enabled) {
    throw conflict({ detail: 'Set up a second factor for yourself before you require it of everybody' })
  }
}
