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

/** Collects what is found, each once, and counts attempts. */
export class Findings {
  readonly #found = new Set<string>()
  requests = 0
  statements = 0

  add(finding: string): void {
    this.#found.add(finding)
  }

  get all(): string[] {
    return [...this.#found]
  }
}
