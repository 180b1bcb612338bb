import type { RegisteredRoute, Registry } from '../../kernel/registry.ts'
import type { Cases } from './types.ts'

/** How cases and findings name a route. */
export const routeName = ({ method, path }: Pick<RegisteredRoute, 'method' | 'path'>): string => `${method} ${path}`

/** What ids speak of, read from the paths of the routes. */
export interface Collections {
  /** The collection of an id by the name of its field, `tenant`, null for nothing of a tenant, undefined when unknown. */
  ofField(name: string): string | null | undefined
  /** The parameters of a path and the collection of each. */
  ofPath(path: string): [name: string, collection: string | null | undefined][]
}

export function readCollections({ routes }: Registry, { ids = {} }: Cases): Collections {
  const known = new Set(routes.flatMap(({ path }) => prefixes(path).map(([, prefix]) => prefix)))
  const ofField = (name: string): string | null | undefined => {
    if (name in ids) return ids[name]
    if (name === 'tenant_id') return 'tenant'
    const plural = `/${pluralOf(name.replace(/_ids?$/, ''))}`
    return known.has(plural) || routes.some(({ path }) => path === plural) ? plural : undefined
  }
  return {
    ofField,
    ofPath: (path) =>
      prefixes(path).map(([name, prefix]) => {
        if (prefix in ids) return [name, ids[prefix]]
        const named = name === 'id' ? undefined : ofField(name)
        return [name, named === undefined ? prefix : named]
      }),
  }
}

/** `/users/:id/roles/:role_id` → `id` behind `/users`, `role_id` behind `/users/:id/roles`. */
function prefixes(path: string): [name: string, prefix: string][] {
  return [...path.matchAll(/\/:(\w+)/g)].map((match) => [match[1] ?? '', path.slice(0, match.index)])
}

const pluralOf = (noun: string) => (/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`)
