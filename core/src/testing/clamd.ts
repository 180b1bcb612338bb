import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The clamd of this machine; undefined when there is none. */
export function findClamd(): string | undefined {
  // Distributions keep it where the PATH of people does not lead.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'clamd')).find((path) => existsSync(path))
}
