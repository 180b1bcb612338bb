import {
  isArgumentElement,
  isDateElement,
  isNumberElement,
  isPluralElement,
  isSelectElement,
  isTimeElement,
  type MessageFormatElement,
  type PluralElement,
  parse,
} from '@formatjs/icu-messageformat-parser'
import { formats } from './formats.ts'

export type { Location, MessageFormatElement } from '@formatjs/icu-messageformat-parser'

/** How a message uses an argument: as it is, as a number (plural forms too), as a moment, to choose between texts. */
export type ArgumentUse = 'text' | 'number' | 'moment' | 'choice'

/** What a message asks of its values. */
export interface Arguments {
  readonly uses: ReadonlyMap<string, ReadonlySet<ArgumentUse>>
  /** By argument, the words that it chooses by, without `other`. */
  readonly choices: ReadonlyMap<string, ReadonlySet<string>>
  readonly plurals: readonly PluralElement[]
  /** `{at, date, lnog}`: styles that there are not. */
  readonly unknownStyles: readonly string[]
}

/** Parses a text of ICU MessageFormat. Throws for what is none; what looks like a tag is text. */
export function parseMessage(text: string): MessageFormatElement[] {
  return parse(text, { ignoreTag: true })
}

/** The arguments of a message, at any depth. */
export function argumentsOf(elements: readonly MessageFormatElement[]): Arguments {
  const uses = new Map<string, Set<ArgumentUse>>()
  const choices = new Map<string, Set<string>>()
  const plurals: PluralElement[] = []
  const unknownStyles: string[] = []
  const use = (name: string, as: ArgumentUse) => uses.set(name, (uses.get(name) ?? new Set()).add(as))
  const look = (element: MessageFormatElement): void => {
    if (isArgumentElement(element)) use(element.value, 'text')
    else if (isNumberElement(element) || isPluralElement(element)) use(element.value, 'number')
    else if (isDateElement(element) || isTimeElement(element)) use(element.value, 'moment')
    else if (isSelectElement(element)) {
      use(element.value, 'choice')
      const words = Object.keys(element.options).filter((word) => word !== 'other')
      choices.set(element.value, new Set([...(choices.get(element.value) ?? []), ...words]))
    }
    if (isPluralElement(element)) plurals.push(element)
    if (isPluralElement(element) || isSelectElement(element))
      for (const { value } of Object.values(element.options)) value.forEach(look)
    unknownStyles.push(...unknownStyleOf(element))
  }
  elements.forEach(look)
  return { uses, choices, plurals, unknownStyles }
}

function unknownStyleOf(element: MessageFormatElement): string[] {
  const kind = isDateElement(element) ? 'date' : isTimeElement(element) ? 'time' : 'number'
  const style = 'style' in element ? element.style : undefined
  return typeof style === 'string' && !Object.hasOwn(formats[kind], style) ? [`${kind}, ${style}`] : []
}
