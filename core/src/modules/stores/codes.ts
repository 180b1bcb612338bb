import { asciiWords, randomSuffix } from '../tenants/index.ts'

const MAX_LENGTH = 20
const SUFFIX_LENGTH = 4
const SUFFIX_ATTEMPTS = 10

/** Codes for a store's name, the plainest first: `Zürich Main` → `ZURICH-MAIN`, `ZURICH-MAIN-7KQ2`, … */
export function* codesFor(name: string): Generator<string> {
  const words = asciiWords(name).toUpperCase()
  if (words) yield shortened(words, MAX_LENGTH)
  const stem = shortened(words || 'STORE', MAX_LENGTH - SUFFIX_LENGTH - 1)
  for (let attempt = 0; attempt < SUFFIX_ATTEMPTS; attempt++)
    yield `${stem}-${randomSuffix(SUFFIX_LENGTH).toUpperCase()}`
}

function shortened(words: string, length: number): string {
  return words.slice(0, length).replace(/-$/, '')
}
