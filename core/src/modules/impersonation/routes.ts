import { Closed, conflict, Described, defineRoute, type Route, Uuid } from '#kernel'
import { beginImpersonation } from './begin.ts'
import { Impersonation, NewImpersonation } from './schema.ts'

export const impersonationRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/admin/tenants/:id/impersonate',
    name: 'impersonateUser',
    summary: 'Act as a person of a tenant for 15 minutes',
    description:
      'Answers with an access token that nothing renews: the person’s, in that tenant alone, which only reads. `write` also lets it change things, and takes the role `all`; routes say by `x-impersonation` what of them is for it. It ends at `POST /auth/logout`, with your own session or role, and when the tenant forbids it. The tenant’s log names each request and you; its owners and the person are told. Where the tenant does not let support in, 403 says what it wants. Takes no `Idempotency-Key`: an answer with a token is not kept.',
    access: { operator: ['support'] },
    rateLimit: 'impersonation',
    transaction: 'manual',
    entersTenants: true,
    params: Closed({ id: Described(Uuid, 'The tenant') }),
    body: NewImpersonation,
    response: { 200: Impersonation },
    errors: [conflict],
    handler: (ctx, { params, body }) =>
      ctx.transaction((ctx) => beginImpersonation(ctx, body), { role: 'system', tenantId: params.id.toLowerCase() }),
  }),
]
