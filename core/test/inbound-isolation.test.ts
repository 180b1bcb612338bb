import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineInbound, defineModule, newId, parseJson, signatureHeaders, standardWebhook, Type } from '#kernel'
import { builtinModules } from '../src/modules/index.ts'
import { type Cases, runIsolationKit, type Tenant } from '../src/testing/index.ts'

const SECRET = `whsec_${Buffer.from('what the carrier and we know of').toString('base64')}`
const Parcel = Type.Object({ tenant: Type.String() })

const parcels = defineInbound('parcels', {
  description: 'Where parcels are.',
  verify: standardWebhook({ secret: () => SECRET, tenantOf: (_ctx, { body }) => parseJson(body, Parcel).tenant }),
  handle: async () => {},
})

/** A message that never came before. */
function signed({ tenantId, test: { clock } }: Tenant) {
  const raw = JSON.stringify({ tenant: tenantId })
  return { raw, headers: signatureHeaders({ id: newId(), body: raw }, [SECRET], clock.ms()) }
}

const cases: Cases = {
  routes: {
    'POST /inbound/parcels': {
      given: signed,
      // What `given` makes is new but once; afterwards it is a duplicate.
      once: { raw: '{}' },
      across: null,
    },
  },
}

const carrier = defineModule({
  name: 'carrier',
  description: 'What a carrier tells.',
  inbound: [parcels],
  cases: async () => ({ default: cases }),
})

test('a door for webhooks is tried by the isolation kit as any route', async () => {
  const report = await runIsolationKit({ modules: [...builtinModules, carrier], only: ['carrier'] })
  assert.equal(report.routes, 1)
})
