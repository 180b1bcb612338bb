import {
  at,
  type Ctx,
  DAYS,
  defineSetting,
  fromNow,
  invalidRequest,
  Moment,
  Nullable,
  OneOf,
  type SettingMoment,
  type StoredSettings,
  settingIn,
  Type,
} from '#kernel'

// The module by which operators act as somebody else lists them; sessions obey them here.

/** A tenant grants no more than this at once. */
const MOST_GRANTED_MS = 30 * DAYS

export const supportAccess = defineSetting('support_access', {
  level: 'tenant',
  schema: OneOf(['always', 'on_request', 'never'], {
    description:
      'Whether those who run the installation may act as people of the tenant: always, never, or only until `support_access_until`. What they do so is in the audit log.',
  }),
  default: 'always',
  ownOnly: true,
})

export const supportAccessUntil = defineSetting('support_access_until', {
  level: 'tenant',
  // No moment stays within 30 days.
  schema: Type.With(
    Nullable(
      Moment('Until then they may, whatever `support_access` says; 30 days ahead at most. Null: it grants nothing'),
    ),
    { examples: [null] },
  ),
  default: null,
  ownOnly: true,
  errors: [invalidRequest],
  read: (stored, { clock }) => {
    const until = stored.support_access_until
    return typeof until === 'string' && until > clock.now() ? until : null
  },
  change: (ctx, { given }) => {
    if (given !== null) requireInTerm(ctx, given)
    return { support_access_until: given }
  },
})

function requireInTerm({ clock }: Ctx, until: string): void {
  const detail =
    until <= clock.now()
      ? 'must be in the future'
      : until > fromNow(clock, MOST_GRANTED_MS) && 'must be 30 days ahead at most'
  if (detail) throw invalidRequest({ errors: [at('support_access_until', detail)] })
}

/** Whether operators may act as people of a tenant now; `until`: when that ends by itself. Null: they may not. */
export function supportAccessIn(stored: StoredSettings, at: SettingMoment): { until: string | null } | null {
  if (settingIn(supportAccess, stored, at) === 'always') return { until: null }
  const until = settingIn(supportAccessUntil, stored, at)
  return until === null ? null : { until }
}
