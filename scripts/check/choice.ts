// Which test files run where, in which order, and which share a process.
import { globSync } from 'node:fs'

/** Every test file of the checkout, by its path in it. */
export function findTestFiles(root: string): string[] {
  const folders = ['core/src', 'core/test', 'examples', 'scripts']
  return globSync(
    folders.map((folder) => `${folder}/**/*.test.ts`),
    { cwd: root },
  ).sort()
}

/** Tests of races, crashes, schedules, retention and sealing. What hangs a transaction on purpose is not among them. */
export const ON_ONE_CONNECTION = [
  'members/races',
  'sessions/refresh',
  'sign-in/accept-invitation',
  'recovery/reset-password',
  'sign-in/bootstrap',
  'sign-in/seats',
  'members/invitation-roles',
  'roles/assignment',
  'stores/default-store',
  'life/trial',
  'subscriptions/races',
  'life/renewal',
  'seals/verification-lease',
  'wrong-clock',
  'audit-sinks/crash',
  'retention/remove-expired',
  'seals/seal',
  'kernel-crash',
  'kernel-schedules',
  'uploads/quota',
]

/**
 * Tests to which another database is nothing new: those of the embedded one, of what a browser shows, of how a process
 * stops, of what an application is called, of what the code narrows by itself, and of the files of this folder.
 */
const INDIFFERENT =
  /\/embedded[^/]*$|\.browser\.test\.ts$|\/(?:stopping|store-isolation|audit-cli|documentation|own-commands|product)\.test\.ts$|^scripts\//

/**
 * What an older PostgreSQL is asked in every check. Statements are what it could take otherwise, and these send nearly all of
 * them: the kernel's and the schema's own tests, the test file of each module and example that is
 * named like it, what happens at once, and the list below. What else a module has proves its rules with the same statements.
 */
const ON_FIFTEEN = [
  /^core\/test\//,
  /^core\/src\/kernel\/db\//,
  /^core\/src\/testing\//,
  /^core\/src\/modules\/([^/]+)\/\1\.test\.ts$/,
  /^examples\/([^/]+)\/\1\.test\.ts$/,
  /\/(?:races|crash)\.test\.ts$/,
]

/** Those that send statements which none of these sends. */
export const ALSO_ON_FIFTEEN = [
  'admin/overview',
  'admin/tenants',
  'audit/indexes',
  'tokens/access-tokens',
  'sign-in/attacks',
  'members/invite',
  'retention/archive',
  'search/search',
  'seals/verify-bounds',
  'life/renewal',
  'load/windows',
  'load/throttle',
  'tenant-removal/purge',
  'tenant-removal/bounds',
  'tenants/settings',
]

/**
 * Of these, those about what reaches no statement: requests that are refused, documents, addresses, declarations; and those
 * whose every statement others send: what the isolation kit and the proofs of routes ask of routes the tests of modules ask, and what
 * of tables the catalogue's tests.
 */
export const BESIDE_STATEMENTS = [
  'isolation/samples',
  'statements/read',
  'test/architecture',
  'test/cases',
  'test/configured-modules',
  'test/doors',
  'test/examples',
  'test/fastify-setup',
  'test/files-cli',
  'test/files-move-killed',
  'test/fine-print',
  'test/hostile-input',
  'test/http-edges',
  'test/isolation',
  'test/isolation-findings',
  'test/kernel-mails',
  'test/kernel-registry',
  'test/kernel-settings',
  'test/kernel-streams',
  'test/kernel-uploads',
  'test/keyed-parts',
  'test/mails',
  'test/messages',
  'test/names',
  'test/openapi',
  'test/outbound-places',
  'test/probes',
  'test/problems-at-once',
  'test/property',
  'test/rate-limits',
  'test/rate-limits.redis',
  'test/rate-store',
  'test/reach',
  'test/request-parts',
  'test/routes',
  'test/store-header',
  'test/unknown-fields',
  'testing/answers',
]

/** Those that take longest, by waiting or by working: begun last, they would keep the whole check waiting. */
export const LONGEST = [
  'scripts/package',
  'test/files-move-killed',
  'documents.browser',
  'delivery/crash',
  'scripts/clients',
  'embedded-cli',
  'embedded',
  'embedded-lost',
  'stopping',
  'cli',
  'audit/export',
  'seals/verify',
  'kernel-migrate',
  'kernel-workers',
  'kernel-pages',
  'test/property',
  'test/isolation',
  'test/routes',
  'store-isolation',
  'wrong-clock',
]

/** Tests that need a process to themselves, and why. */
export const ALONE: Record<string, string> = {
  'audit/export': 'measures the memory of its process',
}

/** Whether a test file runs once more with a single connection for each role. */
export function isAlsoRunOnOne(file: string): boolean {
  return isNamed(file, ON_ONE_CONNECTION)
}

/** Whether a test file could come out otherwise on another version of PostgreSQL. */
export function isForFifteen(file: string): boolean {
  return !INDIFFERENT.test(slashed(file))
}

/** Whether it is run there in every check. */
export function isAlwaysOnFifteen(file: string): boolean {
  if (!isForFifteen(file) || isNamed(file, BESIDE_STATEMENTS)) return false
  return isNamed(file, ALSO_ON_FIFTEEN) || ON_FIFTEEN.some((pattern) => pattern.test(slashed(file)))
}

/** Whether no other file may run in the same process. */
export function isAlone(file: string): boolean {
  return isNamed(file, Object.keys(ALONE))
}

/** In the order in which they are best begun. */
export function longestFirst(files: readonly string[]): string[] {
  const rank = (file: string) => {
    const found = LONGEST.findIndex((name) => isNamed(file, [name]))
    return found < 0 ? LONGEST.length : found
  }
  return files.toSorted((one, other) => rank(one) - rank(other))
}

/**
 * The test files that words name: those in a folder of that name or of that name themselves, where there are any, or else
 * those with the word in their path; and the words that name none.
 */
export function chooseNamed(files: readonly string[], words: readonly string[]) {
  const found = words.map((word) => {
    const whole = files.filter((file) =>
      slashed(file)
        .replace(/\.test\.ts$/, '')
        .split('/')
        .includes(word),
    )
    return whole.length > 0 ? whole : files.filter((file) => slashed(file).includes(slashed(word)))
  })
  return {
    named: files.filter((file) => found.flat().includes(file)),
    unknown: words.filter((_, index) => found[index]?.length === 0),
  }
}

const isNamed = (file: string, names: readonly string[]) =>
  names.some((name) => `/${slashed(file)}`.endsWith(`/${name}.test.ts`))
const slashed = (path: string) => path.replaceAll('\\', '/').replace(/^\.\//, '')
