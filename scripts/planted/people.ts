import type { Plant } from './plant.ts'

const PROMISES = ['core/src/modules/members/promises.test.ts']
const POLICY = ['core/src/modules/members/policy.test.ts']

export const plants: Plant[] = [
  {
    guard: 'An invitation gives only what its sender may give when it is accepted',
    file: 'core/src/modules/members/promising.ts',
    find: 'if (await mayGive(sender, role)) kept.push(role)',
    replace: 'kept.push(role)',
    tests: PROMISES,
  },
  {
    guard: 'An invitation of somebody who has left or was disabled is worth nothing',
    file: 'core/src/modules/members/promising.ts',
    find: "if (member?.status !== 'active' || user?.status !== 'active') return null",
    replace: 'if (!user || !member) return null',
    tests: PROMISES,
  },
  {
    guard: 'An invitation whose sender is unknown is worth nothing',
    file: 'core/src/modules/members/promising.ts',
    find: "if (sender_type !== 'user' || invited_by === null) return null",
    replace: 'if (invited_by === null) return onBehalfOf(ctx, null)',
    tests: PROMISES,
  },
  {
    guard: 'Who is removed has their open invitations taken back in the same transaction',
    file: 'core/src/modules/members/changing.ts',
    find: '  await reviewInvitationsOf(ctx, userId)\n  await ctx.emit(userRemoved',
    replace: '  await ctx.emit(userRemoved',
    tests: PROMISES,
  },
  {
    guard: 'Who loses a role has their open invitations narrowed',
    file: 'core/src/modules/members/assigning.ts',
    find: 'await ensureOwnerRemains(ctx)\n  await reviewInvitationsOf(ctx, userId)',
    replace: 'await ensureOwnerRemains(ctx)',
    tests: PROMISES,
  },
  {
    guard: 'The owners are told of every new owner',
    file: 'core/src/modules/members/inviting.ts',
    find: 'await tellOwners(ctx, { email, roles, isInvited: true })',
    replace: '',
    tests: PROMISES,
  },
  {
    guard: 'Who has not proven their address sends no mail to strangers',
    file: 'core/src/modules/members/acting.ts',
    find: 'if (user && user.email_verified_at !== null) return',
    replace: 'if (user) return',
    tests: PROMISES,
  },
  {
    guard: 'Nobody changes or disables somebody who holds more than they do',
    file: 'core/src/modules/members/changing.ts',
    find: "await requireMayActOnMember(ctx, row, 'user.update')",
    replace: '',
    tests: POLICY,
  },
  {
    guard: 'Nobody takes back an invitation to more than they hold',
    file: 'core/src/modules/members/inviting.ts',
    find: "await requireMayActOnInvitation(ctx, row, 'user.invite')",
    replace: '',
    tests: POLICY,
  },
  {
    guard: 'Only owners act on owners',
    file: 'core/src/modules/roles/granting.ts',
    find: "if (role.key === 'owner' && !isOwner(ctx.grants)) {",
    replace: "if (role.key === 'owner' && ctx.grants.length === 0) {",
    tests: ['core/src/modules/roles/assigning.test.ts'],
  },
  {
    guard: 'Changing a role weakens nobody who holds more than oneself',
    file: 'core/src/modules/roles/operations.ts',
    find: "requireHoldsAll(ctx, await listRolesOfHolders(ctx.tx, ctx.tenantId, before.id), 'role.update')",
    replace: 'await listRolesOfHolders(ctx.tx, ctx.tenantId, before.id)',
    tests: ['core/src/modules/roles/assigning.test.ts'],
  },
  {
    guard: 'A manager gives roles only to people whom they see',
    file: 'core/src/modules/members/assigning.ts',
    find: "getMemberAmong(ctx, userId, ctx.storesWith('user.view'))",
    replace: 'getMemberAmong(ctx, userId, null)',
    tests: ['core/src/modules/members/assigning.test.ts'],
  },
  {
    guard: 'A role that somebody is invited to cannot be deleted',
    file: 'core/src/modules/members/promised-roles.ts',
    find: 'if (roleIds.length === 0) return',
    replace: 'if (roleIds.length >= 0) return',
    tests: ['core/src/modules/members/inviting.test.ts'],
  },
  {
    guard: 'One mail of a kind goes to an address in some minutes',
    file: 'core/src/modules/mail/jobs.ts',
    find: 'if (runAt === null) return false',
    replace: '',
    tests: ['core/src/modules/mail/pausing.test.ts'],
  },
  {
    guard: 'A person founds no more tenants than the setting says',
    file: 'core/src/modules/tenants/queries.ts',
    find: ".where('tenant_founders.founded', '<', most),",
    replace: ',',
    tests: ['core/src/modules/tenants/tenants.test.ts'],
  },
  {
    guard: 'Sending an expired invitation again takes a place in the plan',
    file: 'core/src/modules/members/inviting.ts',
    find: "if (hadExpired) await consume(ctx, 'users')",
    replace: '',
    tests: ['core/src/modules/auth/seats.test.ts'],
  },
]
