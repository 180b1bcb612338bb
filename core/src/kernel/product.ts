import { showsSomething, tidyLine } from './text/names.ts'
import { readVersion } from './version.ts'

/** What an application calls itself, to people and to programs. */
export interface Product {
  /** What people know it by: the first page, mails, the screen of a start. Default: `Tenantry`. */
  readonly name: string
  /**
   * How its command line is called, for messages such as: run "shop migrate". Default for `runCommand`: as the process
   * was called (`node main.ts`); else `tenantry`.
   */
  readonly command: string
  /** Shown by `--version` and in the API document. Default: the version of the package tenantry. */
  readonly version: string
  /** Title of the API document and of its page. Default: the name. */
  readonly apiTitle: string
  /**
   * What the `type` of an error begins with; its code follows. A URI: `urn:shop:problem:`, `https://shop.example/problems/`.
   * Clients may hang on it, so it does not follow the name. Default: `urn:tenantry:problem:`.
   */
  readonly problemTypes: string
}

/** What is our own, and under our licence, unless an application has a name of its own. */
export const OUR_NAME = 'Tenantry'

/** What the `type` of an error begins with unless an application says otherwise. */
export const PROBLEM_TYPES = 'urn:tenantry:problem:'

/** What an application says of itself; what it leaves out has the default. */
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

/** The name as a header can carry it; in other letters altogether it is left to the default. */
export function userAgentOf({ name }: Product): string {
  const letters = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w.]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return letters || OUR_NAME
}

function problemOfLine(field: keyof Product, text: string, maxLength: number): string | undefined {
  // It stands in headers of mails, in pages and on terminals.
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
