import { OPERATOR_ROLES } from './access/operators.ts'
import { handsOutSecrets, unmarkedSecrets } from './http/secret-answers.ts'
import type { Module } from './module.ts'
import { isOpen } from './registry-routes.ts'
import { problemsOfSchema } from './registry-schemas.ts'
import { SUPPORT_SEVERITIES, type SupportSection } from './support/define.ts'

/** The sections of support answers by name, in the order of the modules. Adds to `problems` everything wrong with one. */
export function collectSupport(modules: readonly Module[], problems: string[]): ReadonlyMap<string, SupportSection> {
  const sections = new Map<string, SupportSection>()
  const [owners, finders] = [new Map<string, string>(), new Map<string, string>()]
  for (const { name: module, support } of modules)
    for (const section of support) {
      const { name } = section
      const complain = (problem: string) => problems.push(`support section ${name} (${module}) ${problem}`)
      const other = owners.get(name)
      if (other !== undefined) problems.push(`two support sections are named ${name}: in ${other} and ${module}`)
      for (const code of Object.keys(section.causes)) {
        const finder = finders.get(code)
        if (finder !== undefined) problems.push(`two support sections find ${code}: ${finder} and ${name}`)
        finders.set(code, name)
      }
      for (const problem of problemsOf(section)) complain(problem)
      owners.set(name, module)
      sections.set(name, section)
    }
  return sections
}

const WORD = /^[a-z][a-z0-9_]{0,62}$/
const ROLES: readonly string[] = OPERATOR_ROLES.filter((role) => role !== 'all')

// Types prevent some of these; applications in plain JavaScript need all of them.
function problemsOf({ name, description, roles, schema, causes }: SupportSection): string[] {
  const problems = [...new Set(problemsOfSchema(schema))]
  if (!WORD.test(name)) problems.push('has a name that is no snake_case word')
  if (typeof description !== 'string' || description.trim() === '') problems.push('has no description')
  if (!Array.isArray(roles) || roles.length === 0) problems.push('names no role of operators that sees it (roles)')
  else if (roles.some((role) => !ROLES.includes(role)) || new Set(roles).size < roles.length)
    problems.push(`names roles that are none of ${ROLES.join(', ')}, or one twice`)
  if (isOpen(schema)) problems.push('shows unknown fields (additionalProperties is missing)')
  const answer = { 200: schema }
  if (handsOutSecrets(answer) || unmarkedSecrets(answer).length > 0) problems.push('shows a secret')
  for (const [code, cause] of Object.entries(causes)) {
    if (!WORD.test(code)) problems.push(`finds ${code}, which is no snake_case word`)
    if (!SUPPORT_SEVERITIES.includes(cause.severity)) problems.push(`finds ${code} of an unknown severity`)
    if (!(cause.likelihood >= 0 && cause.likelihood <= 100))
      problems.push(`finds ${code} with a likelihood that is no number from 0 to 100`)
    if (typeof cause.do !== 'string' || cause.do.trim() === '') problems.push(`finds ${code} and says not what to do`)
  }
  return problems
}
