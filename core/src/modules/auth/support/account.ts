import {
  Closed,
  CreatedAt,
  type Ctx,
  Described,
  defineSupport,
  Nullable,
  OneOf,
  OwnId,
  pickFields,
  Timestamp,
  Type,
} from '#kernel'
import { findSupported, findWithLocalPart, findWithOneOf } from './account-queries.ts'
import { localPartOf, oneLetterOff } from './typos.ts'

const Account = Closed({
  id: OwnId,
  name: Type.String({ description: 'How they are called' }),
  status: OneOf(['active', 'disabled'], { description: 'Who is `disabled` signs in nowhere' }),
  email_verified_at: Nullable(Described(Timestamp, 'When they proved the address; null: they have not')),
  has_password: Type.Boolean({ description: 'Whether they have ever chosen one: who was only invited has not' }),
  two_factor_enabled: Type.Boolean({ description: 'Whether a second factor is asked for' }),
  last_login_at: Nullable(Described(Timestamp, 'When they last signed in; null: never')),
  created_at: CreatedAt,
})

/** The person with the address; of none, whether there is one with an address that looks like it. */
export const accountSupport = defineSupport({
  name: 'account',
  description: 'The person with the address',
  roles: ['support', 'operations'],
  schema: Closed({
    account: Nullable(Type.With(Account, { description: 'The person who has the address; null: nobody has it' })),
    similar: Type.Array(OneOf(['one_letter', 'other_domain']), {
      description:
        'Where nobody has it: that somebody has one that differs by one letter, or one with the same part before the @. Which, is not said',
    }),
  }),
  causes: {
    no_account_typo: {
      severity: 'high',
      likelihood: 91,
      do: 'Have them spell the address that they signed up with, or were invited at: there is one very much like it.',
    },
    no_account: {
      severity: 'high',
      likelihood: 70,
      do: 'Nobody has that address: ask which one they signed up with, or who is to invite them.',
    },
    account_disabled: {
      severity: 'high',
      likelihood: 100,
      do: 'Find out why the account was disabled before anybody enables it again.',
    },
    unconfirmed_address: {
      severity: 'medium',
      likelihood: 45,
      do: 'They open the link that was mailed to them, or ask for another one while signed in. Until then they invite and add nobody.',
    },
  },
  async read(ctx, { email, userId }) {
    const row = userId === null ? undefined : await findSupported(ctx.tx, userId)
    if (!row) return withoutAccount(ctx, email)
    const account = pickFields(Account, row)
    if (row.status === 'disabled')
      return found(account, 'account_disabled', 'Their account is disabled, in every tenant.', row.updated_at)
    // Who has never chosen a password proves the address by accepting the invitation.
    if (row.email_verified_at === null && row.has_password)
      return found(account, 'unconfirmed_address', 'They have never confirmed their address.', row.created_at)
    return { shown: { account, similar: [] }, findings: [] }
  },
})

type Shown = Type.Static<typeof Account>

const found = (account: Shown, code: 'account_disabled' | 'unconfirmed_address', what: string, at: string) => ({
  shown: { account, similar: [] },
  findings: [{ code, tenantId: null, what, at }],
})

async function withoutAccount({ tx }: Ctx, email: string) {
  const [oneLetter, otherDomain] = await Promise.all([
    findWithOneOf(tx, oneLetterOff(email)),
    findWithLocalPart(tx, localPartOf(email)),
  ])
  const similar = [
    ...(oneLetter ? (['one_letter'] as const) : []), // words
    ...(otherDomain ? (['other_domain'] as const) : []), // as above
  ]
  const what = oneLetter
    ? 'Nobody has the address; somebody has one that differs by one letter.'
    : otherDomain
      ? 'Nobody has the address; somebody has one with the same part before the @.'
      : 'Nobody has the address.'
  const code = similar.length > 0 ? ('no_account_typo' as const) : ('no_account' as const) // as declared above
  return { shown: { account: null, similar }, findings: [{ code, tenantId: null, what }] }
}
