/** The words of a part of a mail, in their order but for the subject and the sender, which each part has in a place of its own. */
export function wordsOf({ text, html, subject }: { text?: string; html?: string; subject: string }): string[] {
  return text === undefined ? wordsOfHtml(html ?? '', subject) : wordsOfText(text)
}

const words = (text: string) => text.split(/\s+/).filter(Boolean)

function wordsOfText(text: string): string[] {
  const [body = '', sender = ''] = text.split(/\n-- \n/)
  return [...words(sender), ...words(body.replace(/:\n(https?:\S+)/g, '\n$1'))]
}

/** An address stands behind its label here, as it does in the text. */
function wordsOfHtml(html: string, subject: string): string[] {
  const shown = html
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<a [^>]*href="([^"]*)"[^>]*>(.*?)<\/a>/gs, '$2 $1')
    .replace(/<img [^>]*alt="([^"]*)"[^>]*>/g, '$1')
    .replace(/<[^>]+>/g, ' ')
  const [before = '', after = ''] = splitAt(words(unescapeHtml(shown)).join(' '), words(subject).join(' '))
  return [...words(before), ...words(after)]
}

function splitAt(text: string, part: string): [string, string] {
  const at = text.indexOf(part)
  if (at < 0) throw new Error(`The HTML part does not show the subject: ${part}`)
  return [text.slice(0, at), text.slice(at + part.length)]
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const unescapeHtml = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ENTITIES[name] ?? '')
