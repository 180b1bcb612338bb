import { type Authenticator, type Core, invalidApiKey, type Principal, type Standing, type Tx } from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { findStanding } from '../queries.ts'
import { findPrincipal } from './directory.ts'
import { endOf } from './ends.ts'
import { formOf, looksLikeKey } from './format.ts'

/** Programs of a tenant: an API key of ours, or one that was imported by its hash. */
export const keyAuthenticator: Authenticator = {
  name: 'api_key',
  takesKeys: true,
  errors: [invalidApiKey, tenantSuspended],
  matches: looksLikeKey,
  identify(core, credential) {
    const form = formOf(credential)
    if (form === 'broken') throw invalidApiKey()
    return findPrincipal(core, credential, form)
  },
  standing,
}

/** Throws 401 `invalid_api_key` once it has ended, and while its maker's account is disabled, 403 `tenant_suspended`. */
async function standing(tx: Tx, principal: Principal, core: Core): Promise<Standing> {
  const { tenantId, apiKeyId, actor } = principal
  const key = tenantId !== null && apiKeyId !== undefined ? await findStanding(tx, tenantId, apiKeyId) : undefined
  if (!key || key.revoked_at !== null) throw invalidApiKey()
  const endsAt = endOf(key)
  // A time that cannot be read is no reason to let it in.
  if (endsAt !== null && !(Date.parse(endsAt) > core.clock.ms())) throw invalidApiKey()
  // It acts with the rights of its maker, whom nothing is left to; what they left to the tenant goes on.
  if (key.frozen_rights === null && key.maker_status === 'disabled') throw invalidApiKey()
  if (key.tenant_status !== 'active') throw tenantSuspended()
  return {
    actor: { ...actor, label: key.name },
    superAdmin: false,
    scopes: key.scopes,
    requestsPerMinute: key.rate_limit_per_minute,
    networks: key.allowed_cidrs,
    endsAt,
  }
}
