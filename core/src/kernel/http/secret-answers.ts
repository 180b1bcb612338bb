import type { TSchema } from 'typebox'
import type { Responses } from '../module.ts'

/** Names of fields that are secrets anywhere, unless the schema says `secret: false`. */
const SECRET_NAME =
  /^(?:.+_)?(?:secret|token|password|passphrase|private_key|secret_key|api_key|seed|backup_codes?|otpauth_url)$/

/** Keywords that are searched, and `secret`, our own. */
interface Shape {
  type?: string | string[]
  secret?: boolean
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  additionalProperties?: Shape | boolean
  items?: Shape | Shape[]
  prefixItems?: Shape[]
  anyOf?: Shape[]
  oneOf?: Shape[]
  allOf?: Shape[]
}

interface SecretField {
  /** `data.access_token` */
  path: string
  isMarked: boolean
}

/** True when an answer of the route contains a token, key or other secret. */
export function handsOutSecrets(response: Responses): boolean {
  return secretFields(response).length > 0
}

/** Fields with names of secrets whose schemas do not say whether they are. */
export function unmarkedSecrets(response: Responses): string[] {
  return secretFields(response)
    .filter(({ isMarked }) => !isMarked)
    .map(({ path }) => path)
}

function secretFields(response: Responses): SecretField[] {
  // TypeBox schemas are JSON Schemas, whose keywords are read by name.
  const found: SecretField[] = []
  for (const schema of Object.values(response)) if (schema) walk(schema as TSchema & Shape, '', '', found)
  return found
}

function walk(shape: Shape | boolean | undefined, name: string, path: string, found: SecretField[]): void {
  if (typeof shape !== 'object' || shape.secret === false) return
  if (shape.secret || (SECRET_NAME.test(name) && shape.type !== 'boolean')) {
    found.push({ path, isMarked: shape.secret === true })
    return
  }
  for (const [field, part] of Object.entries(shape.properties ?? {}))
    walk(part, field, path ? `${path}.${field}` : field, found)
  for (const part of Object.values(shape.patternProperties ?? {})) walk(part, '', `${path}.*`, found)
  const { additionalProperties, items, prefixItems, anyOf, oneOf, allOf } = shape
  walk(additionalProperties, '', path, found)
  for (const parts of [items, prefixItems, anyOf, oneOf, allOf])
    if (Array.isArray(parts)) for (const part of parts) walk(part, '', path, found)
    else walk(parts, '', path, found)
}
