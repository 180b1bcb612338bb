import type { Module } from './module.ts'

const NAME = /^[a-z][a-z0-9_-]{1,40}$/
const HEADER = /^[a-z0-9][a-z0-9-]*$/
/** What opens a door stands in no row. */
const CREDENTIALS = ['authorization', 'cookie', 'x-api-key', 'proxy-authorization']

/** Problems with the inbound sources of modules; what their routes and jobs have in common with others is looked at there. */
export function problemsOfInbound(modules: readonly Module[]): string[] {
  const problems: string[] = []
  const owners = new Map<string, string>()
  for (const { name: module, inbound, routes, jobs } of modules)
    for (const { name, headers, route, job } of inbound) {
      const place = `inbound source ${name} (${module})`
      const other = owners.get(name)
      if (other !== undefined) problems.push(`two inbound sources are named ${name}: in ${other} and ${module}`)
      owners.set(name, module)
      if (!NAME.test(name))
        problems.push(`${place} has a name that is no word of up to 41 small letters, digits, _ and -`)
      if (!routes.includes(route) || !jobs.includes(job))
        problems.push(`${place} would take nothing in: make its module by defineModule`)
      for (const header of headers)
        if (!HEADER.test(header)) problems.push(`${place} keeps the header ${header}, which is no name in lower case`)
        else if (CREDENTIALS.includes(header))
          problems.push(`${place} keeps the header ${header}, which is a credential`)
    }
  return problems
}
