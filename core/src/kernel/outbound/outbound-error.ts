/**
 * Why a request to somebody else's server came to nothing:
 * - `invalid_url`: the URL is not of a form that may be requested;
 * - `unresolvable`: its host has no address; `refused_address`: none that may be reached;
 * - `refused`: nobody listens; `unreachable`: no way leads there; `timed_out`: the time given is over;
 * - `tls`: no trusted connection; `not_http`: the answer is something else; `too_long`: the head of the answer is;
 * - `broken`: the connection ended before the answer did.
 */
export type OutboundReason = keyof typeof SENTENCES

// One message for hosts without an address and with internal ones: otherwise names of an internal network could be
// discovered.
const NO_PUBLIC_ADDRESS = 'The host of the URL has no public address'

const SENTENCES = {
  invalid_url: 'The URL may not be requested',
  unresolvable: NO_PUBLIC_ADDRESS,
  refused_address: NO_PUBLIC_ADDRESS,
  refused: 'The server refuses connections',
  unreachable: 'The server cannot be reached',
  timed_out: 'The server did not answer in time',
  tls: 'No trusted TLS connection could be made to the server',
  not_http: 'The answer of the server is not HTTP',
  too_long: 'The head of the answer is too long',
  broken: 'The connection broke before the answer was complete',
}

/** There was no answer. The message is for the person who gave the URL and contains no address. */
export class OutboundError extends Error {
  override name = 'OutboundError'
  readonly reason: OutboundReason
  /** The code of the underlying error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), for the log. */
  readonly code: string | null

  constructor(reason: OutboundReason, code: string | null = null) {
    super(SENTENCES[reason])
    this.reason = reason
    this.code = code
  }
}

const REASONS: [codes: RegExp, reason: OutboundReason][] = [
  [/^ECONNREFUSED$/, 'refused'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM)$/, 'unreachable'],
  [/^(?:ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT)$/, 'timed_out'],
  [
    /^(?:EPROTO|ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|ERROR_IN_)/,
    'tls',
  ],
  [/^(?:UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, 'too_long'],
  [/^HPE_/, 'not_http'],
]

/** Maps a network error; anything else is a programming mistake and is returned unchanged. */
export function outboundErrorOf(error: unknown): unknown {
  if (error instanceof OutboundError || !(error instanceof Error)) return error
  const code = codeOf(error)
  if (code === '' || /^(?:UND_ERR_INVALID_ARG|ERR_INVALID_)/.test(code)) return error
  return new OutboundError(REASONS.find(([codes]) => codes.test(code))?.[1] ?? 'broken', code)
}

function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  // The parser has codes for some errors only.
  return error.name === 'HTTPParserError' ? 'HPE_OTHER' : ''
}
