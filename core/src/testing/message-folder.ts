import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * A folder of messages for a module that a test makes up: texts by code, or a file's whole content, by language. Gone when
 * the process ends.
 */
export function messageFolder(languages: Record<string, Record<string, unknown> | string>): URL {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-messages-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [language, texts] of Object.entries(languages))
    writeFileSync(join(folder, `${language}.json`), typeof texts === 'string' ? texts : JSON.stringify(texts))
  return pathToFileURL(`${folder}/`)
}
