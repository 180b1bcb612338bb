import type { MailText } from '#kernel'
import { escapeHtml } from '#kernel'

/** A link below everything else. */
export interface Footer {
  label: string
  url: string
}

/** The plain text part of a mail. */
export function layOutText({ greeting, paragraphs, action, closing }: MailText, footer?: Footer): string {
  const [link, last] = [action, footer].map((each) => each && `${each.label}:\n${each.url}`)
  return `${[greeting, ...paragraphs, link, closing, last].filter((part) => part !== undefined).join('\n\n')}\n`
}

const FONT = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif'
const BUTTON =
  'display:inline-block;padding:12px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:600'

/** The HTML part: the same words, escaped, in a document that loads nothing. */
export function layOutHtml(
  { subject, greeting, paragraphs, action, closing }: MailText,
  language: string,
  footer?: Footer,
): string {
  const lines = [...(greeting === undefined ? [] : [greeting]), ...paragraphs].map(
    (line) => `<p style="margin:0 0 16px">${escapeHtml(line)}</p>`,
  )
  const button =
    action &&
    `<p style="margin:24px 0"><a href="${escapeHtml(action.url)}" style="${BUTTON}">${escapeHtml(action.label)}</a></p>`
  const last =
    closing === undefined
      ? undefined
      : `<p style="margin:24px 0 0;font-size:14px;color:#52525b">${escapeHtml(closing)}</p>`
  const end =
    footer &&
    `<p style="margin:24px 0 0;font-size:14px"><a href="${escapeHtml(footer.url)}" style="color:#52525b">${escapeHtml(footer.label)}</a></p>`
  const body = [...lines, button, last, end].filter((part) => part !== undefined)
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0;padding:24px;background:#f4f4f5;color:#18181b;${FONT};font-size:16px;line-height:1.5">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:8px">
<tr><td style="padding:32px;text-align:left">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">${escapeHtml(subject)}</h1>
${body.join('\n')}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}
