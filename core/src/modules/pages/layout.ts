import { escapeHtml } from '#kernel'
import type { Texts } from './texts-en.ts'

/** HTML that is safe to stand in a page: made by `html` alone. */
export interface Html {
  readonly html: string
}

type Part = string | number | Html | readonly Html[]

/** Puts values into HTML; whatever is not HTML itself is escaped, for text and for attributes in quotes. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return { html: strings.reduce((text, string, at) => text + render(parts[at - 1] ?? '') + string) }
}

export const nothing: Html = { html: '' }

function render(part: Part): string {
  if (typeof part === 'object') return 'html' in part ? part.html : part.map(({ html }) => html).join('\n')
  return escapeHtml(String(part))
}

/** A page, before it is dressed. */
export interface Page {
  /** Which behaviour the script gives it. */
  name: string
  title: string
  content: Html
  /** Whether it can do nothing without its script. */
  needsScript: boolean
}

/**
 * The whole document. Its addresses are relative, since the server may stand behind a path of a proxy, and nothing in it
 * runs or is styled but by the two files it names.
 */
export function renderPage({ name, title, content, needsScript }: Page, texts: Texts): string {
  const scripted = html`<meta name="texts" content="${JSON.stringify(clientTexts(texts))}">
<script type="module" src="pages/main.js"></script>`
  const { html: text } = html`<!doctype html>
<html lang="${texts.language}" dir="${texts.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="pages/style.css">
${needsScript ? scripted : nothing}
</head>
<body data-page="${name}">
<main>
<h1 id="title" tabindex="-1">${title}</h1>
${needsScript ? html`<noscript><p class="notice bad">${texts.problems.noScript}</p></noscript>` : nothing}
${content}
</main>
</body>
</html>
`
  return text
}

/** What the script says by itself. */
function clientTexts({ language, account, problems, working }: Texts) {
  return { language, account, problems, working }
}

export const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    // Forms are sent by the script; without it, a browser must not put a password into an address.
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'x-robots-tag': 'noindex',
  vary: 'accept-language',
}
