import { defineModule, HOURS } from '#kernel'
import { mail } from '../mail/index.ts'
import { members } from '../members/index.ts'
import { roles } from '../roles/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { keyAuthenticator } from './access/authenticator.ts'
import { knownKeys } from './access/directory.ts'
import { freezeRights } from './access/freeze.ts'
import { keyGrants } from './access/rights.ts'
import * as events from './events.ts'
import { importedKeys, restoredKeys } from './imported.ts'
import { remind } from './life/remind.ts'
import { sweep } from './life/upkeep.ts'
import { keyLeakedMail, keysExpiringMail } from './mails.ts'
import { keyExpiringNotice } from './notifications.ts'
import { deleteHashes } from './queries.ts'
import { keyRoutes } from './routes.ts'
import { MAX_OVERLAP_HOURS } from './schema.ts'
import { apiKeysSupport } from './support.ts'
import { countAnswer, usageCounts } from './usage/counts.ts'

export { scopesForKeys } from './access/wishes.ts'
export * from './events.ts'
export { changeKey, createKey, revokeKey } from './operations.ts'
export { ApiKey, ApiKeyWithSecret, type NewApiKey } from './schema.ts'

/** Credentials of a tenant for its programs: what they may do, where from, for how long, and how much they are used. */
export const apiKeys = defineModule({
  name: 'api-keys',
  description: "Keys for a tenant's programs: limited to scopes, stores and networks, rotated, counted, revoked.",
  dependsOn: [users, tenants, stores, roles, mail, members],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'api_key.view': 'See API keys and how they are used',
    'api_key.create': 'Make, replace and import API keys',
    'api_key.update': 'Change API keys',
    'api_key.delete': 'Revoke API keys',
  },
  limits: {
    api_keys: { title: 'API keys', counts: 'api_keys', until: 'counted_until', plans: { free: 2, starter: 10 } },
  },
  events: Object.values(events),
  routes: keyRoutes,
  listeners: [freezeRights],
  schedules: [remind, sweep],
  mails: [keyLeakedMail, keysExpiringMail],
  notifications: [keyExpiringNotice],
  resources: [knownKeys, usageCounts],
  answered: countAnswer,
  authenticators: [keyAuthenticator],
  grants: [keyGrants],
  moments: [{ table: 'api_keys', column: 'overlap_ends_at', aheadMs: MAX_OVERLAP_HOURS * HOURS }],
  // The hashes of keys are in no tenant's table.
  support: [apiKeysSupport],
  holdings: [{ table: 'api_key_hashes', columns: ['tenant_id'], remove: deleteHashes }],
  exported: {
    api_keys: { imported: importedKeys, restored: restoredKeys },
    api_key_usage: { restored: { isMissingOnly: true, keepsExtra: true } },
  },
  cases: () => import('./api-keys.cases.ts'),
})
