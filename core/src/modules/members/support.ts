import {
  Closed,
  type Ctx,
  Described,
  defineSupport,
  Nullable,
  OneOf,
  pickFields,
  SUPPORT_SHOWN,
  type SupportSubject,
  shownOf,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import * as queries from './support-queries.ts'

/** How many roles are read, of all tenants together. */
const MOST_ROLES = 200

const tenant_id = Described(Uuid, 'The tenant')
const Role = Closed({
  role: Type.String({ description: 'Its name', examples: ['manager'] }),
  store_id: Nullable(Described(Uuid, 'The store that it is held for; null: the whole tenant')),
  store_status: Nullable(OneOf(['active', 'inactive'], { description: 'Whether that store is open; null: no store' })),
})
const Membership = Closed({
  tenant_id,
  status: OneOf(['active', 'disabled', 'invited'], { description: 'Only who is `active` can do anything there' }),
  joined_at: Described(Timestamp, 'Since when; of somebody invited, when they were invited first'),
  roles: Type.Array(Role, { description: 'What they hold there' }),
})
const Invitation = Closed({
  tenant_id,
  sent_at: Described(Timestamp, 'When its last mail was posted'),
  expires_at: Described(Timestamp, 'Until when its link is good'),
  has_expired: Type.Boolean({ description: 'Whether that has passed' }),
})
const Departure = Closed({ tenant_id, left_at: Described(Timestamp, 'When the membership ended') })

/** Memberships with their roles and stores, invitations that wait, and memberships that ended lately. */
export const membersSupport = defineSupport({
  name: 'memberships',
  description: 'What the person is in each tenant, what they are invited to, and where they were',
  roles: ['support', 'operations'],
  schema: Closed({
    memberships: Type.Array(Membership, { description: 'What the person is in each tenant that was looked at' }),
    invitations: Type.Array(Invitation, { description: 'Those that nobody has accepted' }),
    left: Type.Array(Departure, { description: 'Where they were a member in the last 90 days, and are no more' }),
  }),
  causes: {
    member_disabled: {
      severity: 'high',
      likelihood: 90,
      do: 'An owner or admin of the tenant switches the membership on again under its members.',
    },
    member_removed: {
      severity: 'high',
      likelihood: 80,
      do: 'They are no member any more. An owner or admin of the tenant invites them again, if that was not meant.',
    },
    invitation_expired: {
      severity: 'high',
      likelihood: 86,
      do: 'Somebody who may invite in the tenant sends the invitation again, which makes a new link.',
    },
    invitation_waiting: {
      severity: 'medium',
      likelihood: 40,
      do: 'They open the link of the mail that invites them. Where none has come, look at `mails`, and have it sent again.',
    },
    store_closed: {
      severity: 'high',
      likelihood: 78,
      do: 'Somebody who may change stores in the tenant opens the store again, or gives the person a role elsewhere.',
    },
    no_role: {
      severity: 'medium',
      likelihood: 72,
      do: 'They belong to the tenant and hold no role there: an owner or admin gives them one.',
    },
  },
  async read(ctx, subject) {
    const { userId } = subject
    if (userId === null) return { shown: { memberships: [], invitations: [], left: [] }, findings: [] }
    const known = await readAll(ctx, subject, userId)
    const { memberships, invitations, left, leftOut } = known
    return {
      shown: {
        memberships: memberships.map((each) =>
          pickFields(Membership, { ...each, roles: each.roles.map((role) => pickFields(Role, role)) }),
        ),
        invitations,
        left,
      },
      findings: [...findingsOf(known), ...storesClosed(subject, known)],
      leftOut,
    }
  },
})

async function readAll({ tx, clock }: Ctx, { tenantIds, tenantId, storeId }: SupportSubject, userId: string) {
  const [found, roles, waiting, departures, store] = await Promise.all([
    queries.listMembershipsIn(tx, tenantIds, userId),
    queries.listRolesIn(tx, tenantIds, userId, MOST_ROLES + 1),
    queries.listInvitationsIn(tx, tenantIds, userId),
    queries.listDepartures(tx, userId, tenantId, SUPPORT_SHOWN + 1),
    tenantId !== null && storeId !== null ? queries.findStoreStatus(tx, tenantId, storeId) : undefined,
  ])
  const held = Map.groupBy(roles.slice(0, MOST_ROLES), (each) => each.tenant_id)
  const memberships = found.map(({ updated_at, ...membership }) => ({
    ...membership,
    changedAt: updated_at,
    roles: held.get(membership.tenant_id) ?? [],
  }))
  const invitations = waiting.map((each) => ({ ...each, has_expired: each.expires_at <= clock.now() }))
  const { rows: left, leftOut } = shownOf(departures)
  const tooMany = roles.length > MOST_ROLES
  return { memberships, invitations, left, store, leftOut: leftOut || tooMany, tooMany }
}

type Known = Awaited<ReturnType<typeof readAll>>
type Code = 'member_disabled' | 'member_removed' | 'invitation_expired' | 'invitation_waiting' | 'no_role'

function findingsOf({ memberships, invitations, left, tooMany }: Known) {
  const found = (code: Code, tenantId: string, what: string, at: string) => ({ code, tenantId, what, at })
  return [
    ...memberships.flatMap(({ tenant_id, status, roles, changedAt }) => {
      if (status === 'disabled')
        return [found('member_disabled', tenant_id, 'Their membership was switched off.', changedAt)]
      const isBare = status === 'active' && roles.length === 0 && !tooMany
      return isBare ? [found('no_role', tenant_id, 'They are a member without any role.', changedAt)] : []
    }),
    ...invitations.map(({ tenant_id, sent_at, expires_at, has_expired }) =>
      has_expired
        ? found('invitation_expired', tenant_id, `Their invitation expired at ${expires_at}.`, expires_at)
        : found('invitation_waiting', tenant_id, `They are invited since ${sent_at} and have not accepted.`, sent_at),
    ),
    ...left.map(({ tenant_id, left_at }) =>
      found('member_removed', tenant_id, `Their membership ended at ${left_at}.`, left_at),
    ),
  ]
}

/** The store that was asked about, or those in which somebody holds what they hold. */
function storesClosed({ tenantId, storeId }: SupportSubject, { memberships, store }: Known) {
  const code = 'store_closed' as const // as declared above
  if (tenantId !== null && storeId !== null)
    return store?.status === 'inactive' ? [{ code, tenantId, what: `The store ${storeId} is closed.` }] : []
  return memberships.flatMap(({ tenant_id, roles }) => {
    const closed = roles.filter(({ store_status }) => store_status === 'inactive')
    if (closed.length === 0) return []
    const hasOthers = roles.length > closed.length
    const stores = [...new Set(closed.map((role) => role.store_id))].slice(0, 3).join(', ')
    const what = `${hasOthers ? 'Some' : 'All'} of their roles there are held in stores that are closed: ${stores}.`
    return [{ code, tenantId: tenant_id, what, severity: hasOthers ? ('low' as const) : ('high' as const) }] // words
  })
}
