import { readFileSync } from 'node:fs'

let version: string | undefined

/** The version of this package. */
export function readVersion(): string {
  version ??= read()
  return version
}

function read(): string {
  // As far from here in the sources as in what is published.
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0.0.0'
}
