import type { Module } from '#kernel'
import { admin } from './admin/index.ts'
import { apiKeys } from './api-keys/index.ts'
import { audit } from './audit/index.ts'
import { auditSinks } from './audit-sinks/index.ts'
import { auth } from './auth/index.ts'
import { authz } from './authz/index.ts'
import { events } from './events/index.ts'
import { files } from './files/index.ts'
import { impersonation } from './impersonation/index.ts'
import { load } from './load/index.ts'
import { mail } from './mail/index.ts'
import { mailDomains } from './mail-domains/index.ts'
import { members } from './members/index.ts'
import { notifications } from './notifications/index.ts'
import { operators } from './operators/index.ts'
import { pages } from './pages/index.ts'
import { pictures } from './pictures/index.ts'
import { roles } from './roles/index.ts'
import { stores } from './stores/index.ts'
import { subscriptions } from './subscriptions/index.ts'
import { support } from './support/index.ts'
import { tenantExports } from './tenant-exports/index.ts'
import { tenantRemoval } from './tenant-removal/index.ts'
import { tenants } from './tenants/index.ts'
import { users } from './users/index.ts'
import { webhooks } from './webhooks/index.ts'

/** What every installation has; an application appends its own. */
export const builtinModules: readonly Module[] = [
  pictures,
  users,
  tenants,
  stores,
  roles,
  mail,
  members,
  auth,
  apiKeys,
  subscriptions,
  operators,
  load,
  impersonation,
  authz,
  audit,
  auditSinks,
  mailDomains,
  notifications,
  files,
  tenantExports,
  tenantRemoval,
  admin,
  events,
  webhooks,
  support,
  pages,
]
