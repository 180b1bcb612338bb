import { showsSomething, tidyLine } from './text/names.ts'
import { readVersion } from './version.ts'

/** Names of an application, for people and programs. */
export interface Product {
  /** The name for people: on the first page, in mails, at the start. Default: `Tenantry`. */
  readonly name: string
  /**
   * The name of its command line in messages such as: run "shop migrate". Default for `runCommand`: as the process was
   * called (`node main.ts`); else `tenantry`.
   */
  readonly command: string
  /** Shown by `--version` and in the API document. Default: the version of the package tenantry. */
  readonly version: string
  /** Title of the API document and of its page. Default: the name. */
  readonly apiTitle: string
  /**
   * Prefix of the `type` of errors, followed by the code. A URI: `urn:shop:problem:`, `https://shop.example/problems/`.
   * Clients may depend on it, so it does not follow the name. Default: `urn:tenantry:problem:`.
   */
  readonly problemTypes: string
}

/** The name of this project, which decides about the licence in the API document. */
export const OUR_NAME = 'Tenantry'

/** The default prefix of the `type` of errors. */
export const PROBLEM_TYPES = 'urn:tenantry:problem:'

/** Options of an application; missing ones have their defaults. */
export type ProductOptions = Partial<Product>

/** @throws Error naming everything that cannot be used */
export function completeProduct(options: ProductOptions = {}): Product {
  const { name = OUR_NAME, command = 'tenantry', version = readVersion() } = options
  const { apiTitle = name, problemTypes = PROBLEM_TYPES } = options
  const problems = [
    ...[problemOfLine('name', name, 60), problemOfLine('command', command, 200), problemOfLine('version', version, 60)],
    problemOfLine('apiTitle', apiTitle, 200),
    problemOfTypes(problemTypes),
  ].filter((problem) => problem !== undefined)
  if (problems.length > 0) throw new Error(`The product cannot be called that: ${problems.join('; ')}`)
  return Object.freeze({ name, command, version, apiTitle, problemTypes })
}

/** The name as a header value; the default when no ASCII letter is left. */
export function userAgentOf({ name }: Product): string {
  const letters = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w.]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return letters || OUR_NAME
}

function problemOfLine(field: keyof Product, text: string, maxLength: number): string | undefined {
  // The name is used in headers of mails, in pages and on terminals.
  const isLine = typeof text === 'string' && tidyLine(text) === text && !/\p{Cc}/u.test(text)
  const isFit = isLine && showsSomething(text) && text.length <= maxLength
  return isFit ? undefined : `${field} must be one line of 1 to ${maxLength} visible characters`
}

function problemOfTypes(prefix: string): string | undefined {
  const isFit =
    typeof prefix === 'string' &&
    /^(?:urn:[\w.-]+|https?:\/\/\w[\x21-\x7e]*)[:/#=]$|^urn:[\w.-]+:[\x21-\x7e]*[:/#=]$/.test(prefix)
  return isFit && URL.canParse(`${prefix}not_found`)
    ? undefined
    : 'problemTypes must be the beginning of a URI, up to its last ":", "/", "#" or "="'
}
