import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import type { Method, Responses } from '../module.ts'
import { operationNameOf } from './operation-names.ts'
import { Closed, Page, Short } from './schemas.ts'

const ONE = { 200: Closed({ id: Type.String() }) }
const MANY = { 200: Page(ONE[200]) }
const NOTHING = { 204: null }

const NAMES: [string, Responses, string][] = [
  ['GET /stores', MANY, 'listStores'],
  ['GET /permissions', { 200: Short(ONE[200]) }, 'listPermissions'],
  ['GET /stores/:id', ONE, 'getStore'],
  ['GET /stores/:id', MANY, 'getStore'],
  ['POST /stores', ONE, 'createStore'],
  ['PUT /stores/:id', ONE, 'updateStore'],
  ['PATCH /stores/:id', ONE, 'patchStore'],
  ['DELETE /stores/:id', NOTHING, 'deleteStore'],
  ['GET /stores/:id/settings', ONE, 'getStoreSettings'],
  ['GET /stores/:id/users', MANY, 'listStoreUsers'],
  ['DELETE /stores/:id/users', NOTHING, 'deleteStoreUsers'],
  ['DELETE /users/:id/roles/:role_id', NOTHING, 'deleteUserRole'],
  ['GET /tenants/current', ONE, 'getTenant'],
  ['DELETE /tenants/current', NOTHING, 'deleteTenant'],
  ['PUT /tenants/current/settings', ONE, 'updateTenantSettings'],
  ['GET /subscriptions/current/usage', ONE, 'getSubscriptionUsage'],
  ['PUT /subscriptions/current/payment-method', ONE, 'updateSubscriptionPaymentMethod'],
  ['GET /subscriptions/plans', MANY, 'listSubscriptionPlans'],
  ['POST /api-keys', ONE, 'createApiKey'],
  ['POST /api-keys/:id/rotate', ONE, 'rotateApiKey'],
  ['GET /companies/:id/addresses', MANY, 'listCompanyAddresses'],
  ['GET /companies/:id/addresses/:address_id', ONE, 'getCompanyAddress'],
  ['POST /taxes', ONE, 'createTax'],
  ['POST /leases', ONE, 'createLease'],
  ['POST /leases/:id/give-notice', NOTHING, 'giveLeaseNotice'],
  ['GET /articles/:id/history', ONE, 'getArticleHistory'],
  ['GET /articles/:id/history', MANY, 'listArticleHistory'],
  ['POST /articles/:id/retire', ONE, 'retireArticle'],
  ['POST /articles/:id/print-label', ONE, 'printArticleLabel'],
  ['POST /imports/start', ONE, 'startImport'],
  ['POST /users/invite', ONE, 'inviteUser'],
  ['POST /audit/sinks/:id/rotate-secret', ONE, 'rotateAuditSinkSecret'],
  ['POST /subscriptions/current/change-plan', ONE, 'changeSubscriptionPlan'],
  ['POST /auth/login', ONE, 'login'],
  ['POST /auth/register', ONE, 'register'],
  ['POST /auth/change-password', NOTHING, 'changePassword'],
  ['POST /auth/2fa/setup', ONE, 'setup2fa'],
  ['POST /auth/2fa/backup-codes', ONE, 'createAuth2faBackupCode'],
  ['GET /health', ONE, 'getHealth'],
]

test('an operation is called by what it does to what', () => {
  const given = NAMES.map(([route, response]) => {
    const [method, path = ''] = route.split(' ')
    return [route, operationNameOf({ method: method as Method, path, response })] // one of the words above
  })
  assert.deepEqual(
    given,
    NAMES.map(([route, , name]) => [route, name]),
  )
})
