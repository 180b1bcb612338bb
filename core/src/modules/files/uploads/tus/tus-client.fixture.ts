import type { UploadOptions } from 'tus-js-client'
import type { Place } from './tus.fixture.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const // the words are the types of the signals

// When it is loaded, the library begins to listen to signals of this process, which other tests run in.
const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]))
const { Upload } = await import('tus-js-client')
for (const [signal, known] of before)
  for (const listener of process.listeners(signal))
    if (!known.includes(listener)) process.removeListener(signal, listener)
type Upload = InstanceType<typeof Upload>

export interface Client {
  upload: Upload
  /** The address that it went to; rejects as the upload fails. */
  done: Promise<string>
}

/** tus-js-client, begun; what it is given stands over what tests use. */
export async function client({ port, who }: Place, bytes: Buffer, options: UploadOptions = {}): Promise<Client> {
  const token = await who.token()
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const upload: Upload = new Upload(bytes, {
    endpoint: `http://127.0.0.1:${port}/api/v1/files/tus`,
    headers: { authorization: `Bearer ${token}` },
    metadata: { filename: 'note.txt', filetype: 'text/plain' },
    retryDelays: [0, 200, 500, 1_000, 2_000],
    storeFingerprintForResuming: false,
    onSuccess: () => resolve(upload.url ?? ''),
    onError: reject,
    ...options,
  })
  promise.catch(() => {})
  upload.start()
  return { upload, done: promise }
}
