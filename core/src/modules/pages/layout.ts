import { escapeHtml } from '#kernel'
import type { Texts } from './texts-en.ts'

/** Safe HTML, created by `html` only. */
export interface Html {
  readonly html: string
}

type Part = string | number | Html | readonly Html[]

/** Puts values into HTML. Everything that is not Html is escaped, for text and for quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return { html: strings.reduce((text, string, at) => text + render(parts[at - 1] ?? '') + string) }
}

export const nothing: Html = { html: '' }

function render(part: Part): string {
  if (typeof part === 'object') return 'html' in part ? part.html : part.map(({ html }) => html).join('\n')
  return escapeHtml(String(part))
}

/** A page without the surrounding document. */
export interface Page {
  /** Selects the script's behaviour. */
  name: string
  title: string
  content: Html
  /** Whether the page needs its script. */
  needsScript: boolean
}

/**
 * The whole document. Its addresses are relative, because the server may be below a path of a proxy. Only the two
 * linked files run or style anything.
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

/** The texts used by the script. */
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
