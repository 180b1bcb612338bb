/** A mail that came back, as mail servers write it. */
export interface Returned {
  to: string
  messageId: string
  action?: string
  status?: string
  diagnostic?: string
  /** Whom it came back to. */
  postedTo?: string
}

/** A delivery status notification of RFC 3464. */
export function returned({ to, messageId, action = 'failed', status = '5.1.1', ...more }: Returned): string {
  const { diagnostic = `smtp; 550 5.1.1 <${to}>: no such user`, postedTo = 'no-reply@example.com' } = more
  return [
    'From: Mail Delivery System <MAILER-DAEMON@mx.example.net>',
    `To: ${postedTo}`,
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"',
    '',
    '--=_b',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'Your mail could not be delivered.',
    '',
    '--=_b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    'Arrival-Date: Sat, 31 Jan 2026 12:00:00 +0000',
    '',
    `Final-Recipient: rfc822; ${to}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: ${diagnostic}`,
    '',
    '--=_b',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${messageId}`,
    `To: ${to}`,
    'Subject: Anything',
    '',
    '--=_b--',
    '',
  ].join('\r\n')
}

/** A complaint of RFC 5965, from a provider that keeps the address to itself. */
export function complaint({ messageId, to = 'redacted' }: { messageId: string; to?: string }): string {
  return [
    'From: abuse@provider.example.net',
    'To: no-reply@example.com',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"',
    '',
    '--=_b',
    'Content-Type: text/plain',
    '',
    'This is an abuse report.',
    '',
    '--=_b',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    'User-Agent: Provider/1.0',
    'Version: 1',
    `Original-Rcpt-To: ${to}`,
    '',
    '--=_b',
    'Content-Type: message/rfc822',
    '',
    `Message-ID: ${messageId}`,
    'Subject: Anything',
    '',
    'What it says.',
    '--=_b--',
    '',
  ].join('\r\n')
}
