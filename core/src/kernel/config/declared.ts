import { type EntryReading, readEntry, settings } from './env.ts'
import { InvalidSetting, type Kind } from './kinds.ts'
import { isToCome } from './unbuilt.ts'

/** One setting of the environment that a module declares. */
export interface ConfigurationEntry {
  /** How its text is understood: `kinds.integer(1, 10)`, `kinds.url('https')`, `kinds.secret()` and so on. */
  readonly kind: Kind<unknown>
  /** As it would be written in the environment; null: unset. */
  readonly default: string | null
  /** Meaning and warning: whole sentences. */
  readonly description: string
  /** Never shown in a log, an error or an answer; has no default. */
  readonly secret?: boolean
  /** Nothing starts without it, or nothing in production. Default: it may be left out. */
  readonly required?: 'always' | 'production'
}

export type ConfigurationEntries = Readonly<Record<string, ConfigurationEntry>>

type ValueOf<E> = E extends { kind: Kind<infer T>; default: infer D }
  ? E extends { required: 'always' }
    ? T
    : null extends D
      ? T | null
      : T
  : never

/** The settings by their names, parsed; null where one is unset and has no default. */
export type ConfigurationValues<E extends ConfigurationEntries> = { readonly [N in keyof E]: ValueOf<E[N]> }

type Env = 'development' | 'test' | 'production'

/** What a module has to be told by the environment. */
export interface Configuration<E extends ConfigurationEntries = ConfigurationEntries> {
  readonly entries: E
  /** What is wrong with them together, one sentence each that names a setting and holds no value. */
  check?(values: ConfigurationValues<E>, env: Env): readonly string[]
}

/**
 * Declares settings of the environment. Name it as the module's `configuration`, and read them with
 * `ctx.config.of(handle)`.
 */
export function defineConfiguration<const E extends ConfigurationEntries>(
  entries: E,
  check?: (values: ConfigurationValues<E>, env: Env) => readonly string[],
): Configuration<E> {
  return Object.freeze({ entries, ...(check && { check }) })
}

/** A module, as far as its settings of the environment go. */
export interface ConfiguredModule {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: handles of different types; each is used through its own handle
  readonly configuration?: Configuration<any> | undefined
}

/** What was read for modules: their values, whatever is wrong, and which were given at all. */
export interface DeclaredReading {
  readonly values: ReadonlyMap<Configuration, Readonly<Record<string, unknown>>>
  readonly problems: readonly string[]
  readonly given: ReadonlySet<string>
}

type Declared = { module: string; configuration: Configuration }

/** Reads and parses what modules declare. Values stand in none of the problems. */
export function readDeclared(
  source: Readonly<Record<string, string | undefined>>,
  modules: readonly ConfiguredModule[],
  env: Env,
): DeclaredReading {
  const problems: string[] = []
  const given = new Set<string>()
  const values = new Map<Configuration, Readonly<Record<string, unknown>>>()
  for (const declared of declaredBy(modules)) {
    const read = Object.entries(declared.configuration.entries).map(
      ([name, entry]): [string, ConfigurationEntry, EntryReading] => [name, entry, readEntry(name, entry, source)],
    )
    for (const [name, , { isGiven }] of read) if (isGiven) given.add(name)
    const own = Object.fromEntries(read.map(([name, , { value }]) => [name, value]))
    const wrong = read.flatMap(([name, entry, reading]) => problemsIn(name, entry, { reading, env, ...declared }))
    problems.push(...(wrong.length > 0 ? wrong : (declared.configuration.check?.(own, env) ?? [])))
    values.set(declared.configuration, own)
  }
  return { values, problems, given }
}

function problemsIn(
  name: string,
  { required }: ConfigurationEntry,
  { module, reading, env }: { module: string; reading: EntryReading; env: Env },
): string[] {
  if (reading.problem) return [reading.problem]
  if (reading.isGiven || required === undefined || (required === 'production' && env !== 'production')) return []
  return [`${name} is required${required === 'production' ? ' in production' : ''}: the module ${module} needs it.`]
}

/** What the environment says to each module: which of its settings are given. Values stand in none of it. */
export function describeDeclared(
  source: Readonly<Record<string, string | undefined>>,
  modules: readonly ConfiguredModule[],
): { module: string; says: string }[] {
  return declaredBy(modules).map(({ module, configuration }) => {
    const states = Object.entries(configuration.entries).map(([name, entry]) => {
      if (readEntry(name, entry, source).isGiven) return `${name} is set`
      return `${name} ${entry.default === null ? 'is not set' : 'has its default'}`
    })
    return { module, says: states.join(', ') }
  })
}

/** The names of all settings that modules declare. */
export function declaredNames(modules: readonly ConfiguredModule[]): string[] {
  return declaredBy(modules).flatMap(({ configuration }) => Object.keys(configuration.entries))
}

/** What is wrong with the declarations themselves, by themselves or beside the core's own settings. */
export function problemsOfDeclared(modules: readonly ConfiguredModule[]): string[] {
  const owners = new Map<string, string>()
  return declaredBy(modules).flatMap(({ module, configuration }) =>
    Object.entries(configuration.entries).flatMap(([name, entry]) => {
      const other = owners.get(name)
      owners.set(name, module)
      const twice = other === undefined ? [] : [`two modules declare the setting ${name}: ${other} and ${module}`]
      return [...twice, ...problemsOf(name, entry).map((problem) => `the setting ${name} (${module}) ${problem}`)]
    }),
  )
}

function problemsOf(name: string, entry: ConfigurationEntry): string[] {
  const problems: string[] = []
  // A bare word is a variable of somebody else's on many a machine: HOST, USER, MAIL.
  if (!/^[A-Z][A-Z\d]*(_[A-Z\d]+)+$/.test(name)) problems.push('has a name that is not like STRIPE_SECRET')
  if (Object.hasOwn(settings, name)) problems.push("is one of the core's own")
  if (isToCome(name)) problems.push('has a name that is kept for what the core is to have')
  if (entry.secret && entry.default !== null) problems.push('is a secret that has a default, which everybody knows')
  if (entry.required && entry.default !== null) problems.push('is required although it has a default')
  const problem = problemOfDefault(entry)
  if (problem) problems.push(`has a default that ${problem}`)
  return problems
}

function problemOfDefault({ kind, default: fallback }: ConfigurationEntry): string | undefined {
  if (fallback === null) return undefined
  try {
    kind.parse(fallback)
    return undefined
  } catch (error) {
    if (error instanceof InvalidSetting) return error.message
    throw error
  }
}

function declaredBy(modules: readonly ConfiguredModule[]): Declared[] {
  return modules.flatMap(({ name, configuration }) => (configuration ? [{ module: name, configuration }] : []))
}
