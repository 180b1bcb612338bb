import {
  Closed,
  Described,
  defineSupport,
  Nullable,
  OneOf,
  pickFields,
  SUPPORT_SHOWN,
  shownOf,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { listFailing } from './support-queries.ts'

const Failing = Closed({
  tenant_id: Described(Uuid, 'The tenant'),
  id: Described(Uuid, 'The webhook'),
  host: Type.String({ description: 'The server that it leads to, without path and query', examples: ['example.com'] }),
  is_active: Type.Boolean({ description: 'Whether things are sent to it' }),
  disabled_reason: Nullable(
    OneOf(['failing', 'gone'], { description: 'Why it was switched off by itself; null: it was not' }),
  ),
  failures: Type.Integer({ description: 'Attempts since the last success' }),
  failing_since: Nullable(Described(Timestamp, 'Since when it fails')),
  last_error: Nullable(Type.String({ description: 'What the last attempt failed with' })),
})

/** Webhooks of the person's tenants that fail. Nothing of what is sent, nor of what the servers answered. */
export const webhooksSupport = defineSupport({
  name: 'webhooks',
  description: 'Webhooks of their tenants that fail',
  roles: ['support', 'operations'],
  schema: Closed({ failing: Type.Array(Failing, { description: 'Those that fail, or were switched off for it' }) }),
  causes: {
    webhook_disabled: {
      severity: 'medium',
      likelihood: 63,
      do: 'They mend the server, and switch the webhook on again (PUT /webhooks/:id); what was missed is sent by POST /webhooks/:id/replay.',
    },
    webhook_failing: {
      severity: 'medium',
      likelihood: 62,
      do: 'They mend the server that it leads to: `last_error` says what it answered. What was not taken is sent again by itself for three days.',
    },
  },
  async read({ tx }, { tenantIds }) {
    const { rows, leftOut } = shownOf(await listFailing(tx, tenantIds, SUPPORT_SHOWN + 1))
    // The path or the query of an address may be a credential.
    const failing = rows.map((row) => pickFields(Failing, { ...row, host: new URL(row.url).host }))
    const findings = failing.map(
      ({ tenant_id: tenantId, id, host, disabled_reason, failures, failing_since, last_error }) => {
        const said = last_error === null ? '' : `: ${last_error}`
        return disabled_reason === null
          ? {
              code: 'webhook_failing' as const, // declared above
              tenantId,
              what: `The webhook ${id} to ${host} fails since ${failing_since}, ${failures} times${said}.`,
              at: failing_since,
            }
          : {
              code: 'webhook_disabled' as const, // as above
              tenantId,
              what: `The webhook ${id} to ${host} was switched off by itself (${disabled_reason})${said}.`,
              at: failing_since,
            }
      },
    )
    return { shown: { failing }, findings, leftOut }
  },
})
