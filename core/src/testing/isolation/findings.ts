import { Unfilled } from './fill.ts'

/** Everything by which one tenant reached the other, or that the kit could not try. */
export class IsolationError extends Error {
  readonly #findings: readonly string[]

  constructor(findings: readonly string[]) {
    super(
      `Tenants are not kept apart, or it could not be shown:\n${findings.map((finding) => `  - ${finding}`).join('\n')}`,
    )
    this.name = 'IsolationError'
    this.#findings = findings
  }

  /** Not shown with the error: its message has them all. */
  get findings(): readonly string[] {
    return this.#findings
  }
}

/** Whom a finding is about: `GET /toys as owner with B's id in params/id`, of which `one` is `owner`. */
export interface Subject {
  before: string
  /** What is told of several at once, where all else is the same. */
  one?: string
  after?: string
}

/** Collects what is found, and counts attempts. What is the same of several is one finding, with a line for each. */
export class Findings {
  readonly #found = new Map<string, Map<string, { subject: Subject; ones: Set<string> }>>()
  readonly #causes = new Map<string, string>()
  requests = 0
  readonly byKind: Record<string, number> = {}
  statements = 0

  /** Counts a request of a kind of credential. */
  sent(kind: string): void {
    this.requests++
    this.byKind[kind] = (this.byKind[kind] ?? 0) + 1
  }

  /** What is found of a `cause` after something else was is not told: it may be gone with that. */
  add(what: string, subject: Subject = { before: '' }, cause?: string): void {
    if (cause !== undefined) {
      const known = this.#causes.get(cause) ?? what
      if (known !== what) return
      this.#causes.set(cause, what)
    }
    const subjects = this.#found.get(what) ?? new Map<string, { subject: Subject; ones: Set<string> }>()
    this.#found.set(what, subjects)
    const name = `${subject.before}\n${subject.after}`
    const known = subjects.get(name) ?? { subject, ones: new Set<string>() }
    subjects.set(name, known)
    if (subject.one !== undefined) known.ones.add(subject.one)
  }

  /** What went wrong while something was tried. */
  addError(error: Error, subject: Subject): void {
    this.add(error.message, subject, error instanceof Unfilled ? error.route : undefined)
  }

  get all(): string[] {
    return [...this.#found].map(([what, subjects]) => {
      const lines = [...subjects.values()].map(
        ({ subject: { before, after = '' }, ones }) => `${before}${[...ones].join(', ')}${after}`,
      )
      return [lines.filter((line) => line !== '').join(',\n    '), what].filter((part) => part !== '').join(': ')
    })
  }
}
