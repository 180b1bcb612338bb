import type { Config } from '../config/config.ts'
import { createClamd } from './clamd.ts'
import { readClamdUrl } from './clamd-address.ts'
import type { Scanner } from './scanner.ts'

/** The scanner that an application brings, else the one of CLAMAV_URL; null: uploads are not scanned. */
export function openScanner({ clamavUrl }: Config, own?: Scanner): Scanner | null {
  if (own) return own
  if (clamavUrl === null) return null
  const address = readClamdUrl(clamavUrl)
  // A configuration that was made by hand; without this, nothing would be scanned.
  if (!address) throw new Error('CLAMAV_URL must be tcp://host:3310 or unix:///path')
  return createClamd(address)
}
