import { german } from './texts-de.ts'
import { english, type Texts } from './texts-en.ts'

/** All catalogues; a new language is added here alone. */
export const catalogues: readonly Texts[] = [english, german]

/** The texts in the reader's preferred language by `Accept-Language` (RFC 9110); else English. */
export function textsFor(acceptLanguage: string | null | undefined): Texts {
  const wishes = (acceptLanguage ?? '').split(',').map((part, at) => {
    const [tag = '', ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    return { language: tag.split('-')[0], weight: /^[01](\.\d{1,3})?$/.test(weight) ? Number(weight) : 0, at }
  })
  const liked = wishes
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight || one.at - other.at)
  for (const { language } of liked) {
    const found = catalogues.find((texts) => texts.language === language)
    if (found) return found
  }
  return english
}
