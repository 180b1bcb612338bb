import type { Module, Route } from '../../kernel/module.ts'
import { routeName } from './catalogue.ts'
import type { Cases, RouteCase } from './types.ts'

/** The cases of all modules as one, and what is wrong with them. */
export interface AllCases extends Required<Cases> {
  problems: readonly string[]
}

/** Loads what the modules' cases tell; what is told beside them stands over it. */
export async function loadCases(modules: readonly Module[], beside: Cases = {}): Promise<AllCases> {
  const told: { cases: Cases; routes: readonly Route[]; whose: string }[] = []
  for (const { name, cases, routes } of modules)
    if (cases) told.push({ cases: (await cases()).default, routes, whose: `the cases of ${name} are` })
  told.push({ cases: beside, routes: modules.flatMap(({ routes }) => routes), whose: '`cases` are' })
  const all = told.map(({ cases }) => cases)
  return {
    routes: mergeRoutes(all),
    makers: Object.assign({}, ...all.map(({ makers }) => makers)),
    ids: Object.assign({}, ...all.map(({ ids }) => ids)),
    tableRows: Object.assign({}, ...all.map(({ tableRows }) => tableRows)),
    problems: told.flatMap(({ cases, routes, whose }) => {
      const names = routes.map(routeName)
      const strays = Object.keys(cases.routes ?? {}).filter((name) => !names.includes(name))
      return strays.map((name) => `${name}: ${whose} about it, and there is no such route`)
    }),
  }
}

function mergeRoutes(all: readonly Cases[]): Record<string, RouteCase> {
  const merged: Record<string, RouteCase> = {}
  for (const { routes = {} } of all)
    for (const [name, told] of Object.entries(routes)) merged[name] = { ...merged[name], ...told }
  return merged
}
