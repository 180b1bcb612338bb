/** What a scanner found in a content. */
export type ScanResult = { clean: true } | { clean: false; threat: string }

/** What looks for malware in uploads. A file is let out of quarantine by `clean: true` alone. */
export interface Scanner {
  /** As operators know it: `clamd`. */
  readonly name: string
  /**
   * Reads the content to its end, unless something is found or fails before. Throws what `content` throws, and
   * `ScannerError` whenever there is no definite answer about the whole of it: that is never the same as clean.
   */
  scan(content: AsyncIterable<Uint8Array>): Promise<ScanResult>
  /** Resolves to one sentence when it works; throws an Error that says what is wrong and what to do. */
  check(): Promise<string>
}

/**
 * Why a scanner gave no definite answer:
 * - `unreachable`: nobody listens, or no way leads there; `timed_out`: the time for it is over;
 * - `too_large`: it does not take as much; `broken`: the connection ended before the answer;
 * - `unexpected`: it answered something else.
 */
export type ScannerReason = keyof typeof SENTENCES

const SENTENCES = {
  unreachable: 'The scanner cannot be reached',
  timed_out: 'The scanner did not answer in time',
  too_large: 'The content is larger than the scanner takes',
  broken: 'The scanner closed the connection before it answered',
  unexpected: 'The scanner answered something that is no result',
}

/** There was no definite answer: the content counts as unscanned. The message is for operators. */
export class ScannerError extends Error {
  override name = 'ScannerError'
  readonly reason: ScannerReason

  constructor(reason: ScannerReason, detail = '', options?: ErrorOptions) {
    super(detail ? `${SENTENCES[reason]}: ${detail}` : SENTENCES[reason], options)
    this.reason = reason
  }
}
