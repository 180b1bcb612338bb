/** Where clamd listens, as `net.connect` takes it. */
export type ClamdAddress = { host: string; port: number } | { path: string }

const USUAL_PORT = 3310
/** Of the path of a socket, on the systems that allow least. */
const MAX_PATH_BYTES = 103

/** Reads `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; undefined for anything else. */
export function readClamdUrl(text: string): ClamdAddress | undefined {
  const path = /^unix:\/\/(\/[^?#]+)$/i.exec(text)?.[1]
  if (path !== undefined) return Buffer.byteLength(path) <= MAX_PATH_BYTES ? { path } : undefined
  if (!/^tcp:\/\/[^/?#\\@\s]+\/?$/i.test(text) || !URL.canParse(text)) return undefined
  const { hostname, port } = new URL(text)
  if (!hostname || port === '0') return undefined
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? USUAL_PORT : Number(port) }
}
