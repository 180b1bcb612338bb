import { on } from '#kernel'
import { roleUpdated } from '../roles/index.ts'
import { storeDeleted, storeUpdated } from '../stores/index.ts'
import { lockPendingInStore, lockPendingOfHolders } from './queries.ts'
import { reviewInvitations } from './withdraw-invitation.ts'

const NAME = 'members.review_invitations'

/**
 * Reviews open invitations after changes in other modules that reduce what they may give, and mails their senders. This
 * runs after the commit, which is soon enough: what an invitation gives is decided when it is accepted.
 */
export const reviewers = [
  on(roleUpdated, NAME, async (ctx, { resourceId }) => {
    if (resourceId) await reviewInvitations(ctx, await lockPendingOfHolders(ctx.tx, ctx.tenantId, resourceId))
  }),
  on(storeUpdated, NAME, async (ctx, { after, resourceId }) => {
    if (resourceId && after?.status === 'inactive')
      await reviewInvitations(ctx, await lockPendingInStore(ctx.tx, ctx.tenantId, resourceId))
  }),
  on(storeDeleted, NAME, async (ctx, { resourceId }) => {
    if (resourceId) await reviewInvitations(ctx, await lockPendingInStore(ctx.tx, ctx.tenantId, resourceId))
  }),
]
