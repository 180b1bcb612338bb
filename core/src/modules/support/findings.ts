import { SUPPORT_SEVERITIES, type SupportCause, type SupportFinding, type SupportSection } from '#kernel'
import type { Collected } from './collect.ts'
import type { Finding } from './schema.ts'

/** One screen holds no more. */
const MOST_FINDINGS = 30
/** How long a sentence may be. */
const MOST_LETTERS = 400

/** The cause that every answer may have, whatever the modules. */
export const OWN_CAUSES = {
  section_unavailable: {
    severity: 'low',
    likelihood: 0,
    do: 'Ask again; where it stays so, the log of the server says why (`a section of the support answer could not be read`).',
  },
} as const satisfies Record<string, SupportCause>

interface Ranked extends SupportFinding {
  cause: SupportCause
}

/** All that was found, the likeliest first: by severity, then by how often tickets have the cause, then the newest. */
export function rank(collected: readonly Collected[]): { findings: Finding[]; leftOut: boolean } {
  const all = collected.flatMap(({ section, answer }) => (answer ? ranked(section, answer.findings) : [lost(section)]))
  const sorted = all.sort((a, b) => {
    const order = weightOf(a) - weightOf(b) || b.cause.likelihood - a.cause.likelihood
    return order || compare(b.at ?? '', a.at ?? '')
  })
  return { findings: sorted.slice(0, MOST_FINDINGS).map(present), leftOut: sorted.length > MOST_FINDINGS }
}

// Whoever collects has seen to it that each is declared.
const ranked = ({ causes }: SupportSection, findings: readonly SupportFinding[]): Ranked[] =>
  findings.flatMap((finding) => {
    const cause = causes[finding.code]
    return cause ? [{ ...finding, cause }] : []
  })

const lost = ({ name }: SupportSection): Ranked => ({
  code: 'section_unavailable',
  tenantId: null,
  what: `The section ${name} could not be read, so its causes are not among these.`,
  cause: OWN_CAUSES.section_unavailable,
})

const severityOf = ({ severity, cause }: Ranked) => severity ?? cause.severity
const weightOf = (finding: Ranked) => SUPPORT_SEVERITIES.indexOf(severityOf(finding))
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const present = (finding: Ranked): Finding => ({
  code: finding.code,
  severity: severityOf(finding),
  tenant_id: finding.tenantId,
  what: Array.from(finding.what).slice(0, MOST_LETTERS).join(''),
  do: finding.cause.do,
})
