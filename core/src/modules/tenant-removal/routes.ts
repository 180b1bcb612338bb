import { conflict, defineRoute, insideTenant, type Route } from '#kernel'
import { readCertificate } from './certificates.ts'
import { planRemoval } from './operations.ts'
import { PlannedRemoval, RemovalCertificate, RemovalParams, RemovalQuery } from './schema.ts'

export const removalRoutes: readonly Route[] = [
  defineRoute({
    method: 'DELETE',
    path: '/admin/tenants/:id',
    name: 'deleteTenant',
    summary: 'Delete a tenant, as can be undone for thirty days',
    description:
      'From the next request on each of its people and keys gets 403 `tenant_suspended`; its jobs, mails and deliveries wait. Its owners are told by mail, and a week and a day before the end once more. Until `purge_at`, `reactivate` makes it what it was; then all of its data is removed for good.',
    access: { operator: ['operations'] },
    entersTenants: true,
    params: RemovalParams,
    query: RemovalQuery,
    response: { 202: PlannedRemoval },
    errors: [conflict],
    handler: (ctx, { params, query }) => planRemoval(insideTenant(ctx, params.id), query.reason ?? null),
  }),
  defineRoute({
    method: 'GET',
    path: '/admin/tenants/:id/certificate',
    name: 'getRemovalCertificate',
    summary: 'Get the certificate of a tenant that was removed for good',
    description:
      'What was removed, how much of it and when, signed as the audit log is. 404 until the last of it is gone.',
    access: { operator: ['operations', 'support'] },
    params: RemovalParams,
    response: { 200: RemovalCertificate },
    handler: (ctx, { params }) => readCertificate(ctx, params.id.toLowerCase()),
  }),
]
