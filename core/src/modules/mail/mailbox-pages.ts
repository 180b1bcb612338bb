import { escapeHtml } from '#kernel'
import type { StoredMail } from './mailbox.ts'

/** The `Content-Security-Policy` of both pages: no script runs and nothing is loaded. */
export const MAILBOX_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export interface MailboxView {
  /** Path of the list; a mail is at `<basePath>/<id>`. */
  basePath: string
  /** Shows only mails whose recipient contains this text, in any case. */
  to?: string
  /** Default: the time zone of this machine, because only programs on this machine see the page. */
  timeZone?: string
}

/** The list of mails as a page of HTML. */
export function renderMailboxPage(mails: readonly StoredMail[], view: MailboxView): string {
  const { to = '' } = view
  const shown = mails.filter((mail) => mail.to.toLowerCase().includes(to.toLowerCase()))
  return renderPage(
    'Mailbox',
    `<h1>Mailbox</h1>
<p>Mails are kept here instead of being sent, since no SMTP server is configured.</p>
${renderFilter(mails, view)}
<p role="status">${escapeHtml(sayHowMany(shown.length, to))}</p>
<ul class="mails">${shown.map((mail) => renderRow(mail, view)).join('\n')}</ul>`,
  )
}

function renderFilter(mails: readonly StoredMail[], { basePath, to = '' }: MailboxView): string {
  const list = escapeHtml(basePath)
  const recipients = [...new Set(mails.map((mail) => mail.to))].sort()
  const options = recipients.map((recipient) => `<option value="${escapeHtml(recipient)}"></option>`)
  return `<form method="get" action="${list}" role="search">
<label for="to">To</label>
<input id="to" name="to" type="search" value="${escapeHtml(to)}" list="recipients" autocomplete="off">
<datalist id="recipients">${options.join('')}</datalist>
<button>Show</button>
<a href="${list}">${to === '' ? 'Refresh' : 'Show all'}</a>
</form>`
}

function sayHowMany(count: number, to: string): string {
  const mails = count === 1 ? 'One mail' : count === 0 ? 'No mail' : `${count} mails`
  if (to !== '') return `${mails} to ${to}.`
  return count === 0 ? 'No mail yet.' : `${mails}.`
}

function renderRow(mail: StoredMail, { basePath, timeZone }: MailboxView): string {
  const list = escapeHtml(basePath)
  return `<li><a class="subject" href="${list}/${encodeURIComponent(mail.id)}">${subjectOf(mail)}</a>
<a class="to" href="${list}?to=${encodeURIComponent(mail.to)}">${breakable(mail.to)}</a>
${renderTime(mail.created_at, timeZone)}</li>`
}

/** One mail as a page of HTML: its text with links to follow, and its HTML part in a frame that can do nothing. */
export function renderMailPage(mail: StoredMail, { basePath, timeZone }: MailboxView): string {
  return renderPage(
    mail.subject,
    `<p><a href="${escapeHtml(basePath)}">Mailbox</a></p>
<h1>${subjectOf(mail)}</h1>
<dl><dt>From</dt><dd>${breakable(mail.from)}</dd><dt>To</dt><dd>${breakable(mail.to)}</dd>
<dt>Sent</dt><dd>${renderTime(mail.created_at, timeZone)}</dd></dl>
<h2>Text</h2>
<pre>${linkify(mail.text)}</pre>
<h2>HTML</h2>
<iframe title="HTML part of the mail" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" srcdoc="${escapeHtml(`<base target="_blank">${mail.html}`)}"></iframe>`,
  )
}

const subjectOf = ({ subject }: StoredMail) => escapeHtml(subject) || '(no subject)'

function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>${body}</main>
</body>
</html>
`
}

// One column on a phone; side by side where there is room.
const STYLE = `
:root { color-scheme: light dark; background: light-dark(#fff, #16181c); color: light-dark(#16181c, #eceef1); }
a { color: light-dark(#0b57d0, #a8c7fa); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { overflow-wrap: break-word; }
form { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
input { flex: 1 1 12rem; min-width: 0; max-width: 24rem; }
input, button { font: inherit; padding: .25rem .5rem; }
.mails { list-style: none; margin: 0; padding: 0; }
.mails li { display: grid; gap: 0 1rem; padding: .5rem 0; border-top: 1px solid #8884; }
.mails li > * { min-width: 0; overflow-wrap: break-word; padding: .125rem 0; }
.subject { font-weight: 600; }
.to { color: inherit; }
time { white-space: nowrap; }
@media (min-width: 45rem) { .mails li { grid-template-columns: 5fr 4fr 14rem; } }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid #8884; border-radius: .5rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; }
dd { margin: 0; overflow-wrap: break-word; }
iframe { box-sizing: border-box; width: 100%; height: 36rem; border: 1px solid #8884; border-radius: .5rem; background: #fff; }
`

/** An address that may wrap at its separators only. */
function breakable(address: string): string {
  return address
    .split(/(?<=[@+])|(?=\.)/)
    .map(escapeHtml)
    .join('<wbr>')
}

/** Escaped text in which http(s) addresses are links. */
function linkify(text: string): string {
  const parts = text.split(/(https?:\/\/[^\s<>"']+)/)
  return parts
    .map((part, index) => {
      const safe = escapeHtml(part)
      return index % 2 === 1 ? `<a href="${safe}" rel="noopener noreferrer">${safe}</a>` : safe
    })
    .join('')
}

const TIME: Intl.DateTimeFormatOptions = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
}

/** `2026-03-03T13:00:00.000Z` → `3 Mar 2026, 14:00:00 CET`. */
function renderTime(iso: string, timeZone?: string): string {
  const words = new Intl.DateTimeFormat('en-GB', { ...TIME, timeZone }).format(new Date(iso))
  return `<time datetime="${escapeHtml(iso)}">${escapeHtml(words)}</time>`
}
