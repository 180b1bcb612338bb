import type { Kind } from './kinds.ts'

/** One setting of the environment: all that the parser, the documentation and `.env.example` say about it. */
export interface Setting<T = unknown, Default extends string | null = string | null> {
  readonly group: SettingGroup
  /** Meaning, warning and, where it is computed, the default: whole sentences in Markdown. */
  readonly description: string
  readonly kind: Kind<T>
  /** As it would be written in the environment; null: unset. */
  readonly default: Default
  /** Never shown in a log, an error or an answer. */
  readonly secret: boolean
  /** A sensible value for `.env.example` where there is no default. */
  readonly example?: string
}

export type SettingGroup =
  | 'Server'
  | 'Database'
  | 'Secrets'
  | 'Mail'
  | 'Pages'
  | 'Sign-in'
  | 'Limits'
  | 'Files'
  | 'Operation'

interface SettingOptions<Default extends string | null> {
  default: Default
  secret?: boolean
  example?: string
}

/** An entry of the table of settings. */
export function setting<T, const Default extends string | null>(
  group: SettingGroup,
  kind: Kind<T>,
  options: SettingOptions<Default>,
  description: string,
): Setting<T, Default> {
  return { group, kind, secret: false, ...options, description }
}
