import type { Brand } from '#kernel'
import { colorOr, edgeOf, escapeHtml, readableOn } from '#kernel'

/** The words of a mail. */
export interface MailText {
  /** Of all of it. */
  language: string
  /** One line. */
  subject: string
  greeting: string
  /** Lines of one stand one below the other. */
  paragraphs: readonly string[]
  /** What the recipient may do, and the address that it leads to. */
  action?: { label: string; url: string } | null
  /** Why somebody gets this mail. */
  closing?: string
  /** Comes last: where its recipient ends mails like this one. */
  footer?: { label: string; url: string } | undefined
}

/** Whose mail it is. */
export type MailBrand = Partial<Brand> & { name: string }

/** Programs cut longer mails off (Gmail at 102 kB), and with them what comes last. */
const MOST_BYTES = 80_000

/** As many paragraphs as a mail has room for. */
export function fitting(paragraphs: readonly string[]): string[] {
  const fits: string[] = []
  let bytes = 0
  for (const paragraph of paragraphs.map((each) => each.trim()).filter(Boolean)) {
    // Around each is as much again as a few words.
    const room = MOST_BYTES - bytes - 100
    const cut = cutAt(paragraph, room)
    fits.push(cut)
    if (cut !== paragraph) break
    bytes += bytesOf(paragraph) + 100
  }
  return fits
}

function cutAt(text: string, bytes: number): string {
  if (bytesOf(text) <= bytes) return text
  // No character has less than a byte.
  let end = Math.max(0, Math.min(text.length, bytes))
  while (end > 0 && bytesOf(text.slice(0, end)) > bytes) end = Math.floor(end * 0.9)
  return `${text.slice(0, end).toWellFormed()}…`
}

const bytesOf = (text: string) => Buffer.byteLength(html(text))

/** The plain text part of a mail. */
export function layOutText({ greeting, paragraphs, action, closing, footer }: MailText, { name }: MailBrand): string {
  const [link, end] = [action, footer].map((each) => each && `${each.label}:\n${each.url}`)
  return `${[greeting, ...paragraphs, link, closing, `-- \n${name}`, end].filter(Boolean).join('\n\n')}\n`
}

const CARD = '#ffffff'
const DARK_CARD = '#1f1f23'
const PRODUCT_COLOR = '#1d4ed8'
const FONT = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif'
const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/

/** The HTML part: the same words, escaped, in a document that loads nothing but the tenant's logo. */
export function layOutHtml(words: MailText, brand: MailBrand): string {
  const { language, subject, greeting, paragraphs, action, closing, footer } = words
  const primary = colorOr(brand.primaryColor, PRODUCT_COLOR)
  const body = [
    `<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3;text-wrap:balance">${html(subject)}</h1>`,
    ...[greeting, ...paragraphs].map((line) => `<p style="margin:0 0 16px">${html(line)}</p>`),
    action && renderButton(action, primary),
    closing && `<p class="quiet" style="margin:24px 0 0;font-size:14px;color:#52525b">${html(closing)}</p>`,
    footer &&
      `<p style="margin:24px 0 0;font-size:14px"><a class="quiet" href="${html(footer.url)}" style="color:#52525b">${html(footer.label)}</a></p>`,
  ]
  return `<!doctype html>
<html lang="${html(language)}"${RIGHT_TO_LEFT.test(language) ? ' dir="rtl"' : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${html(subject)}</title>
<style>${renderStyle(primary)}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f4f4f5;color:#18181b;${FONT};font-size:16px;line-height:1.5">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td class="around" align="center" style="padding:24px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;table-layout:fixed;background:${CARD};border-radius:8px;border-top:4px solid ${colorOr(brand.accentColor, primary)}">
<tr><td class="inside" style="padding:24px 32px 32px;text-align:start;overflow-wrap:anywhere;word-break:break-word">
${renderName(brand)}
${body.filter(Boolean).join('\n')}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}

/** Programs that know no dark mode or narrow screens leave it out, and show what stands at each element. */
function renderStyle(primary: string): string {
  return `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) {
  .around { padding: 8px !important; }
  .inside { padding: 20px 16px 24px !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background: #111113 !important; color: #f4f4f5 !important; }
  .card { background: ${DARK_CARD} !important; }
  .quiet { color: #b4b4bd !important; }
  .button { border-color: ${edgeOf(primary, DARK_CARD)} !important; }
}
`
}

function renderName({ name, logoUrl, logoSize }: MailBrand): string {
  const shown = logoUrl?.startsWith('https://')
    ? `<img src="${html(logoUrl)}" alt="${html(name)}" ${roomOf(logoSize)};padding:4px;border-radius:4px;background:#ffffff;color:#18181b">`
    : html(name)
  return `<p class="quiet" style="margin:0 0 24px;font-size:14px;font-weight:600;color:#52525b">${shown}</p>`
}

const LOGO_HEIGHT = 40
const LOGO_WIDTH = 240

/** Attributes for programs that know no style, and a style for narrow screens, on which the form stays as well. */
function roomOf(size: MailBrand['logoSize']): string {
  if (!size) return `height="${LOGO_HEIGHT}" style="height:${LOGO_HEIGHT}px;max-width:100%`
  const scale = Math.min(LOGO_HEIGHT / size.height, LOGO_WIDTH / size.width)
  const [width, height] = [size.width, size.height].map((side) => Math.max(1, Math.round(side * scale)))
  return `width="${width}" height="${height}" style="width:${width}px;max-width:100%;height:auto`
}

function renderButton({ label, url }: { label: string; url: string }, primary: string): string {
  const style = `display:inline-block;padding:12px 20px;border-radius:6px;border:1px solid ${edgeOf(primary, CARD)};background:${primary};color:${readableOn(primary)};text-decoration:none;font-weight:600`
  return `<p style="margin:24px 0"><a class="button" href="${html(url)}" style="${style}">${html(label)}</a></p>`
}

const html = (text: string) => escapeHtml(text).replaceAll('\n', '<br>\n')
