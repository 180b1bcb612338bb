import { readMessageFiles } from '../kernel/messages/files.ts'
import { gapsOf } from '../kernel/messages/problems.ts'
import type { Module } from '../kernel/module.ts'
import { createRegistry } from '../kernel/registry.ts'

/**
 * What a language lacks, one sentence each: messages of these modules that are there in English only, arguments and choices
 * that its texts leave out, plural forms that it needs. Empty for a language that is complete.
 */
export function untranslated(modules: readonly Module[], language: string): string[] {
  return gapsOf(readMessageFiles(createRegistry(modules).modules, []), language)
}
