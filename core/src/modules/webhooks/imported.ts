import { type ImportRule, problemOfOutboundUrl, type RestoreRule } from '#kernel'
import { API_VERSIONS, NewWebhook } from './schema.ts'
import { webhookSecrets } from './secrets.ts'

const { url, description, events, store_ids, max_per_second } = NewWebhook.properties

/**
 * A webhook of a tenant that comes from elsewhere is off, since its receiver does not know the new secret. One to where this installation
 * sends nothing is left out.
 */
export const importedWebhooks: ImportRule = {
  columns: { url, description, events, store_ids, max_per_second },
  problem: (_tools, { api_version }) =>
    (API_VERSIONS as readonly unknown[]).includes(api_version) ? null : 'there is no such version of what is sent',
  anew({ secrets, clock, config }, { id, url, signature }) {
    if (problemOfOutboundUrl(String(url), config)) return null
    return {
      ...webhookSecrets.create({ secrets, clock }, String(id), signature === 'v1a' ? 'v1a' : 'v1').columns,
      header_names: [],
      is_active: false,
      disabled_reason: null,
      off_since: clock.now(),
      trial_at: null,
      next_attempt_at: null,
    }
  },
}

/** How sending goes is of now, and so are the secret and the headers, without which none comes back. */
export const restoredWebhooks: RestoreRule = {
  keeps: [
    ...[
      'is_active',
      'disabled_reason',
      'off_since',
      'missed_since',
      'missed_until',
      'trial_at',
      'told_at',
      'signature',
    ],
    ...['header_names', 'failures', 'failing_since', 'last_error', 'next_attempt_at'],
  ],
}
