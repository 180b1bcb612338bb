import type { RouteCases } from './route-case.ts'
import { accountCases } from './route-cases-account.ts'
import { auditCases } from './route-cases-audit.ts'
import { auditSinkCases } from './route-cases-audit-sinks.ts'
import { memberCases } from './route-cases-members.ts'
import { pageCases } from './route-cases-pages.ts'
import { subscriptionCases } from './route-cases-subscriptions.ts'
import { tenantCases } from './route-cases-tenant.ts'

/** How each route of the built-in modules is made to succeed. */
export const routeCases: RouteCases = {
  ...tenantCases,
  ...memberCases,
  ...accountCases,
  ...subscriptionCases,
  ...auditCases,
  ...auditSinkCases,
  ...pageCases,
}
