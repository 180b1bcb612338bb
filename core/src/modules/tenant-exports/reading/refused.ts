import { printable } from './printable.ts'

/**
 * What an export has that keeps it from being read here, as a sentence without its full stop. What the sentence quotes of the export does
 * nothing to a terminal.
 */
export class ImportRefused extends Error {
  override name = 'ImportRefused'

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message, MOST_CHARACTERS), options)
  }
}

const MOST_CHARACTERS = 1_000
