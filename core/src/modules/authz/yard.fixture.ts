import { Closed, defineModule, defineRoute, type Method, type Module } from '#kernel'
import { openStore, stores } from '../stores/index.ts'

interface Need {
  method?: Method
  /** The grant is looked for in the store of `X-Store-ID` too. */
  inStore?: boolean
  limit?: string
  feature?: string
  callers?: 'people'
}

/** By permission, routes that need exactly it, and what else they need. */
export const PROBES: Readonly<Record<string, readonly Need[]>> = {
  'yard.view': [{ inStore: true }],
  'yard.sweep': [{ inStore: true, method: 'POST' }],
  'yard.paint': [{ feature: 'colour' }],
  'yard.varnish': [{ feature: 'colour', method: 'POST' }, { feature: 'gloss' }],
  'yard.stack': [{ inStore: true, limit: 'stacks', method: 'POST' }],
  'yard.extend': [{ limit: 'yards', method: 'POST' }],
  'yard.stamp': [{ feature: 'gloss', limit: 'stacks', method: 'POST', inStore: true }],
  'yard.survey': [{ feature: 'colour', method: 'POST' }, {}],
  'yard.hire': [{ callers: 'people' }],
  'yard.fire': [{ callers: 'people' }, { feature: 'gloss' }],
  'yard.close': [],
}

/** What the limit `yards` counts: the name of a store that a probe opens, and its test takes away again. */
export const SURPLUS = 'One yard too many'

export const probePath = (permission: string, at: number): `/${string}` => `/probe/${permission}/${at}`

const isOfStores = (needs: readonly Need[]) => needs.some(({ inStore }) => inStore)

const probe = (permission: string, { method = 'GET', inStore, limit, feature, callers }: Need, at: number) =>
  defineRoute({
    method,
    path: probePath(permission, at),
    name: `probe${at}${permission.replace('.', '')}`,
    summary: 'Needs what its declaration says',
    access: { permission, store: inStore ? 'header' : undefined },
    callers,
    limit,
    feature,
    response: { 200: Closed({}) },
    handler: async (ctx) => {
      if (limit === 'yards') await openStore(ctx, { name: SURPLUS })
      return {}
    },
  })

/** An application whose routes need every combination of permission, store, limit of each kind, feature and writing. */
export const yard: Module = defineModule({
  name: 'yard',
  dependsOn: [stores],
  permissions: Object.fromEntries(
    Object.entries(PROBES).map(([code, needs]) => [
      code,
      { description: 'To be probed', scope: isOfStores(needs) ? 'store' : 'tenant', roles: ['admin'] },
    ]),
  ),
  limits: {
    yards: { title: 'Yards', counts: 'stores', plans: { free: 1, starter: 4 } },
    stacks: { title: 'Stacks', per: 'period', plans: { free: 2, starter: 5 } },
  },
  features: {
    colour: { title: 'Colour', plans: ['business', 'starter'] },
    gloss: { title: 'Gloss', plans: ['business', 'free'] },
  },
  routes: Object.entries(PROBES).flatMap(([code, needs]) => needs.map((need, at) => probe(code, need, at))),
})
