import { createMessages, FIRST_LANGUAGE, type Messages, shorterTags } from './catalogue.ts'
import type { MessageFile } from './files.ts'
import { type Arguments, type ArgumentUse, argumentsOf, type Location, parseMessage } from './parse.ts'

/** What an argument may be used for, by what the first text uses it for. */
const FITTING: Readonly<Record<ArgumentUse, readonly ArgumentUse[]>> = {
  number: ['number'],
  moment: ['moment'],
  choice: ['choice', 'text'],
  text: ['text', 'number'],
}

/**
 * Texts that do not parse, that belong to no code, or that use what their code is not told. Those that come with the core
 * are only looked at when `isThorough`.
 */
export function problemsOfMessages(files: readonly MessageFile[], { isThorough = false } = {}): string[] {
  const first = new Map<string, string>()
  for (const { language, texts } of files)
    if (language === FIRST_LANGUAGE) for (const [code, text] of texts) if (!first.has(code)) first.set(code, text)
  return files
    .filter(({ isOwn }) => isThorough || !isOwn)
    .flatMap(({ module, language, texts }) =>
      [...texts].flatMap(([code, text]) => {
        const original = first.get(code)
        const problems =
          original === undefined ? [`is in no module's ${FIRST_LANGUAGE}.json`] : problemsOfText(text, original)
        return problems.map((problem) => `message ${code} in ${language} (${module}) ${problem}`)
      }),
    )
}

function problemsOfText(text: string, original: string): string[] {
  const own = tryToRead(text)
  if (typeof own === 'string') return [`does not parse: ${own}`]
  const known = text === original ? own : tryToRead(original)
  const styles = own.unknownStyles.map((style) => `has the unknown style {…, ${style}}`)
  // Whoever brought it is told that it does not parse.
  if (typeof known === 'string') return styles
  return [...styles, ...[...own.uses].flatMap(([name, uses]) => problemsOfUses(name, uses, known))]
}

function problemsOfUses(name: string, uses: ReadonlySet<ArgumentUse>, known: Arguments): string[] {
  const fitting = known.uses.get(name)
  if (!fitting) return [`uses {${name}}, which it is not told`]
  return [...uses]
    .filter((use) => !FITTING[use].some((fit) => fitting.has(fit)))
    .map((use) => `uses {${name}} as ${WORDS[use]}, which it is not`)
}

const WORDS: Record<ArgumentUse, string> = {
  number: 'a number',
  moment: 'a moment',
  choice: 'a choice',
  text: 'a text',
}

function tryToRead(text: string): Arguments | string {
  try {
    return argumentsOf(parseMessage(text))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // The parser adds where it stopped to its error.
    const { location } = error as SyntaxError & { location?: Location }
    return location ? `${error.message} at character ${location.start.offset + 1}` : error.message
  }
}

/** Languages that have some texts and not all, each with the codes that are there in English only. */
export function incompleteLanguages(messages: Messages): Map<string, string[]> {
  const missing = messages.languages.map((language): [string, string[]] => {
    const tags = [...shorterTags(language)]
    return [language, messages.codes.filter((code) => !tags.some((tag) => messages.find(code, tag)))]
  })
  return new Map(missing.filter(([language, codes]) => codes.length > 0 && language !== FIRST_LANGUAGE))
}

/**
 * What a language lacks: codes that are there in English only, arguments and choices that its texts leave out, plural forms
 * that it needs. One sentence each.
 */
export function gapsOf(files: readonly MessageFile[], language: string): string[] {
  const messages = createMessages(files)
  const tags = shorterTags(language)
  return messages.codes.flatMap((code) => {
    const own = tags.map((tag) => messages.find(code, tag)).find((message) => message !== undefined)
    if (!own) return [`${code} has no text in ${language}`]
    const [read, original] = [own.text, messages.find(code, FIRST_LANGUAGE)?.text ?? own.text].map(tryToRead)
    if (read === undefined || original === undefined || typeof read === 'string' || typeof original === 'string')
      return [`${code} does not parse in ${language} or ${FIRST_LANGUAGE}`]
    return [...leftOut(read, original), ...missingForms(read, language)].map((gap) => `${code} in ${language} ${gap}`)
  })
}

function leftOut(own: Arguments, original: Arguments): string[] {
  const names = [...original.uses.keys()].filter((name) => !own.uses.has(name)).map((name) => `leaves out {${name}}`)
  const words = [...own.choices].flatMap(([name, chosen]) =>
    [...(original.choices.get(name) ?? [])]
      .filter((word) => !chosen.has(word))
      .map((word) => `has no text for ${word} of {${name}}`),
  )
  return [...names, ...words]
}

/** More numbers than any language's forms of whole numbers need to show themselves. */
const NUMBERS = Array.from({ length: 200 }, (_, number) => number)

function missingForms({ plurals }: Arguments, language: string): string[] {
  return plurals.flatMap(({ value, options, pluralType }) => {
    const rules = new Intl.PluralRules([language, FIRST_LANGUAGE], { type: pluralType })
    return [...new Set(NUMBERS.map((number) => rules.select(number)))]
      .filter((form) => !Object.hasOwn(options, form))
      .map((form) => `has no text for the plural form ${form} of {${value}}`)
  })
}
