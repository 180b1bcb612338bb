/** Everything by which one tenant reached the other, or that the kit could not try. */
export class IsolationError extends Error {
  readonly findings: readonly string[]

  constructor(findings: readonly string[]) {
    super(
      `Tenants are not kept apart, or it could not be shown:\n${findings.map((finding) => `  - ${finding}`).join('\n')}`,
    )
    this.name = 'IsolationError'
    this.findings = findings
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
  requests = 0
  statements = 0

  add(what: string, subject: Subject = { before: '' }): void {
    const subjects = this.#found.get(what) ?? new Map<string, { subject: Subject; ones: Set<string> }>()
    this.#found.set(what, subjects)
    const name = `${subject.before}\n${subject.after}`
    const known = subjects.get(name) ?? { subject, ones: new Set<string>() }
    subjects.set(name, known)
    if (subject.one !== undefined) known.ones.add(subject.one)
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
