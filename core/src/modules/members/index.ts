import { defineModule } from '#kernel'
import { mail } from '../mail/index.ts'
import { pictures } from '../pictures/index.ts'
import { roles } from '../roles/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { deleteDeparturesFrom } from './departure-queries.ts'
import { forgetDepartures } from './departures.ts'
import * as events from './events.ts'
import { importedInvitations, importedMembers, restoredInvitations, restoredMembers } from './imported.ts'
import { addFounder } from './join.ts'
import { invitationMail, invitationsWithdrawnMail, newOwnerMail } from './mails.ts'
import { userInvitedNotice, userJoinedNotice } from './notifications.ts'
import { reviewers } from './review-invitations.ts'
import { invitationRoutes } from './routes-invitations.ts'
import { memberRoutes } from './routes-members.ts'
import { roleRoutes } from './routes-roles.ts'
import { storeRoutes } from './routes-stores.ts'
import { tenantRoutes } from './routes-tenants.ts'
import { membersSupport } from './support.ts'

export { requireProvenAddress } from './access-rules.ts'
export { changeMember, removeMember } from './change-member.ts'
export { alreadyMember, invalidToken, lastOwner, tokenExpired } from './errors.ts'
export * from './events.ts'
export { inviteMember, type NewInvitee, resendInvitation, revokeInvitation } from './invite.ts'
export { createMember, type NewMember, requireInTime, useInvitation } from './join.ts'
export { invitationMail, invitationsWithdrawnMail, newOwnerMail } from './mails.ts'
export { giveRole, takeRole, takeStoreRoles } from './member-roles.ts'
export { ensureOwnerRemains, listOwners } from './owners.ts'
export { getMember } from './present.ts'
export {
  findInvitation,
  findMember,
  listAssignmentsAmong,
  listMembersAmong,
  listMembershipsOf,
  lockMember,
} from './queries.ts'
export { HeldRole, Invitation, Member, newMemberFields } from './schema.ts'
export { listTenantsOf } from './support-queries.ts'
export type { InvitationRow, MemberRow } from './table.ts'
export { splitInvitationToken } from './tokens.ts'
export { withdrawIfWorthless } from './withdraw-invitation.ts'

/** People inside a tenant: the membership, how one is invited to it, and which roles one holds in it. */
export const members = defineModule({
  name: 'members',
  description: 'The people of a tenant: inviting and adding them, their roles in it and in its stores.',
  dependsOn: [pictures, users, tenants, stores, roles, mail],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'user.view': { description: 'See members', scope: 'store', roles: ['admin', 'manager', 'viewer'] },
    'user.create': 'Add members',
    'user.update': 'Change and disable members',
    'user.delete': 'End memberships',
    'user.invite': 'Invite people',
  },
  limits: { users: { title: 'People', counts: 'members', until: 'seat_ends_at' } },
  events: Object.values(events),
  routes: [...memberRoutes, ...invitationRoutes, ...roleRoutes, ...storeRoutes, ...tenantRoutes],
  schedules: [forgetDepartures],
  listeners: reviewers,
  mails: [invitationMail, newOwnerMail, invitationsWithdrawnMail],
  notifications: [userInvitedNotice, userJoinedNotice],
  founding: addFounder,
  support: [membersSupport],
  holdings: [{ table: 'member_departures', columns: ['tenant_id'], remove: deleteDeparturesFrom }],
  exported: {
    members: { imported: importedMembers, restored: restoredMembers },
    invitations: { without: ['token_hash'], imported: importedInvitations, restored: restoredInvitations },
    invitation_roles: { imported: { never: 'they follow from the invitations' }, restored: { keepsExtra: true } },
  },
  cases: () => import('./members.cases.ts'),
})
