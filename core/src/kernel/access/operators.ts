import type { Access } from '../route.ts'

/**
 * What people who run the installation are there for. `support` looks; `billing` sees to plans and trials; `operations` to
 * whether tenants and people may use it; `all`, who is a super admin, may whatever any of them may, and makes operators.
 */
export const OPERATOR_ROLES = ['support', 'billing', 'operations', 'all'] as const // the words are the type
export type OperatorRole = (typeof OPERATOR_ROLES)[number]

/** A role that is less than everything. */
export type PartialOperatorRole = Exclude<OperatorRole, 'all'>

const PARTIAL: readonly string[] = OPERATOR_ROLES.filter((role) => role !== 'all')

/** The roles of which one is enough for a route; null: it is not for operators. */
export function operatorRolesOf(access: Access): readonly OperatorRole[] | null {
  if (access === 'superAdmin') return ['all']
  if (!isOfOperators(access)) return null
  // An application in plain JavaScript may have said nothing: then it is for nobody else.
  return Array.isArray(access.operator) ? [...access.operator, 'all'] : ['all']
}

/** Whether a route says by their roles which operators it is for. The declaration may be unchecked. */
export function isOfOperators(access: Access): access is Extract<Access, { operator: unknown }> {
  return typeof access === 'object' && access !== null && 'operator' in access
}

/** What operators hold; a super admin needs no other role. Words that are no role are none. */
export function heldRoles(superAdmin: boolean, roles: readonly string[] = []): ReadonlySet<OperatorRole> {
  const known = roles.filter((role): role is PartialOperatorRole => PARTIAL.includes(role))
  return new Set<OperatorRole>(superAdmin ? [...known, 'all'] : known)
}

/** Whether somebody with these roles may do what one of them is there for. */
export const isOperatorWith = (held: ReadonlySet<OperatorRole> | undefined, role: PartialOperatorRole): boolean =>
  held !== undefined && (held.has(role) || held.has('all'))

/** Problems with whom a route of the operator is for, or with one that stands among them and is not. */
export function problemsOfOperators(access: Access, path: string, callers: unknown): string[] {
  const isAmongThem = /^\/admin(?:\/|$)/.test(path)
  if (operatorRolesOf(access) === null)
    return isAmongThem ? ["stands under /admin, so its access must be 'superAdmin' or { operator: […] }"] : []
  const problems = callers === 'people' ? [] : ['is for operators, who are people: no API key is one (callers)']
  if (!isOfOperators(access)) return problems
  const roles: unknown = access.operator
  if (!Array.isArray(roles) || roles.length === 0) return [...problems, 'names no role of operators (operator)']
  if (new Set(roles).size < roles.length) problems.push('names a role of operators twice')
  const unknown = roles.filter((role) => !PARTIAL.includes(role))
  if (unknown.includes('all')) problems.push("names the role all, which may everything anyway; all alone: 'superAdmin'")
  const strange = unknown.filter((role) => role !== 'all')
  if (strange.length > 0) problems.push(`names unknown roles of operators: ${strange.join(', ')}`)
  return problems
}
