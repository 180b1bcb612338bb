import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Id, isUuid, newId, notFound } from '#kernel'
import { escapeHtml } from './html.ts'

/** A mail kept on disk instead of being sent. */
export interface StoredMail {
  id: Id
  /** ISO 8601 UTC. */
  created_at: string
  from: string
  to: string
  subject: string
  text: string
  html: string
}

/** Newest mails that are kept; older ones are removed when one arrives. */
export const MAILBOX_SIZE = 500

/** Puts a mail into the mailbox: it appears whole or not at all. */
export async function storeMail(dataDir: string, mail: Omit<StoredMail, 'id' | 'created_at'>): Promise<StoredMail> {
  const folder = folderOf(dataDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const stored: StoredMail = { id: newId(), created_at: new Date().toISOString(), ...mail }
  const path = join(folder, `${stored.id}.json`)
  // The links in it open accounts, so nobody else on the machine may read it.
  await writeFile(`${path}.draft`, JSON.stringify(stored, null, 2), { flag: 'wx', mode: 0o600 })
  await rename(`${path}.draft`, path)
  const ids = await listIds(folder)
  await Promise.all(ids.slice(MAILBOX_SIZE).map((id) => rm(join(folder, `${id}.json`), { force: true })))
  return stored
}

/** The mails of the mailbox, newest first; empty when there is none. */
export async function listMailbox(dataDir: string): Promise<StoredMail[]> {
  const mails = await Promise.all((await listIds(folderOf(dataDir))).map((id) => findMail(dataDir, id)))
  // One may have made room for a newer one since the folder was read.
  return mails.filter((mail) => mail !== undefined)
}

/** One mail. @throws notFound when there is none of that id, or when the id is none */
export async function getMail(dataDir: string, id: string): Promise<StoredMail> {
  const mail = await findMail(dataDir, id)
  if (!mail) throw notFound()
  return mail
}

async function findMail(dataDir: string, id: string): Promise<StoredMail | undefined> {
  // An id becomes part of a path, so it must be nothing but an id.
  if (!isUuid(id)) return undefined
  try {
    // Only `storeMail` writes here.
    return JSON.parse(await readFile(join(folderOf(dataDir), `${id.toLowerCase()}.json`), 'utf8')) as StoredMail
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Ids in descending order: they are UUIDv7, so the newest comes first. */
async function listIds(folder: string): Promise<Id[]> {
  try {
    const names = await readdir(folder)
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
    return ids.filter(isUuid).sort().reverse()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function folderOf(dataDir: string): string {
  return join(dataDir, 'mailbox')
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** To be sent as `Content-Security-Policy` with both pages: no script runs and nothing is loaded from anywhere. */
export const MAILBOX_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The list of mails as a page of HTML; each links to `<basePath>/<id>`. */
export function renderMailboxPage(mails: readonly StoredMail[], basePath = '/mailbox'): string {
  const rows = mails.map((mail) => {
    const link = `${escapeHtml(basePath)}/${encodeURIComponent(mail.id)}`
    return `<tr><td><a href="${link}">${escapeHtml(mail.subject) || '(no subject)'}</a></td>
<td>${escapeHtml(mail.to)}</td><td>${renderTime(mail.created_at)}</td></tr>`
  })
  const table = `<table><thead><tr><th scope="col">Subject</th><th scope="col">To</th><th scope="col">Sent</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`
  const note = `<p>Mails are kept here instead of being sent, since no SMTP server is configured.
<a href="${escapeHtml(basePath)}">Refresh</a></p>`
  return renderPage('Mailbox', `<h1>Mailbox</h1>${note}${mails.length > 0 ? table : '<p>No mail yet.</p>'}`)
}

/** One mail as a page of HTML: its text with links to follow, and its HTML part in a frame that can do nothing. */
export function renderMailPage(mail: StoredMail, basePath = '/mailbox'): string {
  return renderPage(
    mail.subject,
    `<p><a href="${escapeHtml(basePath)}">Mailbox</a></p>
<h1>${escapeHtml(mail.subject) || '(no subject)'}</h1>
<dl><dt>From</dt><dd>${escapeHtml(mail.from)}</dd><dt>To</dt><dd>${escapeHtml(mail.to)}</dd>
<dt>Sent</dt><dd>${renderTime(mail.created_at)}</dd></dl>
<h2>Text</h2>
<pre>${linkify(mail.text)}</pre>
<h2>HTML</h2>
<iframe title="HTML part of the mail" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" srcdoc="${escapeHtml(`<base target="_blank">${mail.html}`)}"></iframe>`,
  )
}

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

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid #8884; border-radius: .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
iframe { width: 100%; height: 36rem; border: 1px solid #8884; border-radius: .5rem; background: #fff; }
`

/** Escaped text in which http(s) addresses, and nothing else, can be followed. */
function linkify(text: string): string {
  const parts = text.split(/(https?:\/\/[^\s<>"']+)/)
  return parts
    .map((part, index) => {
      const safe = escapeHtml(part)
      return index % 2 === 1 ? `<a href="${safe}" rel="noopener noreferrer">${safe}</a>` : safe
    })
    .join('')
}

function renderTime(iso: string): string {
  const safe = escapeHtml(iso)
  return `<time datetime="${safe}">${safe}</time>`
}
