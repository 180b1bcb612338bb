import { createMessages, type Messages } from './messages/catalogue.ts'
import { readMessageFiles } from './messages/files.ts'
import { problemsOfMessages } from './messages/problems.ts'
import type { Module } from './module.ts'

/** The texts of all modules, those of later ones over those of earlier ones. */
export function collectMessages(modules: readonly Module[], problems: string[]): Messages {
  const files = readMessageFiles(modules, problems)
  problems.push(...problemsOfMessages(files))
  return createMessages(files)
}
