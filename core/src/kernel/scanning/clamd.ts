import { Readable } from 'node:stream'
import { SECONDS } from '../clock.ts'
import type { ClamdAddress } from './clamd-address.ts'
import { type ClamdConnection, type ClamdTimes, connectToClamd, errorFrom } from './clamd-connection.ts'
import type { Scanner, ScanResult } from './scanner.ts'

const TIMES: ClamdTimes = { connectMs: 10 * SECONDS, progressMs: 60 * SECONDS, wholeMs: 600 * SECONDS }
/** For questions that nobody should have to wait for. */
const PROBE: ClamdTimes = { connectMs: 5 * SECONDS, progressMs: 5 * SECONDS, wholeMs: 10 * SECONDS }

/** Content of any other size is sent in parts of at most this one. */
const PART_BYTES = 256 * 1024
const END = new Uint8Array(4)

/** ClamAV's daemon, by its command INSTREAM: a connection for each content, of which a part at a time is in memory. */
export function createClamd(address: ClamdAddress, times: Partial<ClamdTimes> = {}): Scanner {
  const allowed = { ...TIMES, ...times }
  const probing = { ...PROBE, ...times }
  return {
    name: 'clamd',
    scan: (content) => scan(address, allowed, content),
    async check() {
      const version = await ask(address, probing, 'VERSION')
      if (!/^[\x20-\x7e]{1,200}$/.test(version) || !version.startsWith('ClamAV')) throw errorFrom(version)
      // Its settings may keep it from taking contents, though it answers.
      const result = await scan(address, probing, Readable.from([Buffer.from('A text without harm.')]))
      if (!result.clean) throw new Error(`clamd takes a harmless text for ${result.threat}: look at its signatures.`)
      return `${version} scans.`
    },
  }
}

async function ask(address: ClamdAddress, times: ClamdTimes, command: string): Promise<string> {
  const connection = await connectToClamd(address, times)
  try {
    const answer = connection.answer()
    answer.catch(() => {}) // heard of below, or as the failure of the writing
    await connection.write(commandOf(command))
    return await answer
  } finally {
    connection.close()
  }
}

async function scan(address: ClamdAddress, times: ClamdTimes, content: AsyncIterable<Uint8Array>): Promise<ScanResult> {
  const source = content[Symbol.asyncIterator]()
  let isRead = false
  let connection: ClamdConnection | undefined
  try {
    connection = await connectToClamd(address, times)
    await connection.write(commandOf('INSTREAM'))
    for (;;) {
      const { done, value } = await connection.during(source.next())
      isRead = done === true
      if (done) break
      for (const part of partsOf(value)) await connection.write(lengthOf(part), part)
    }
    // It cannot know the end before this has left, so an earlier answer is one about a part.
    await connection.write(END)
    return resultOf(await connection.answer())
  } finally {
    connection?.close()
    if (!isRead) abandon(content, source)
  }
}

/** Ends a source without waiting for it: one that hangs would hang here as well. */
function abandon(content: AsyncIterable<Uint8Array>, source: AsyncIterator<Uint8Array>): void {
  if (content instanceof Readable) content.on('error', () => {}).destroy()
  source.return?.().catch(() => {})
}

function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES)
}

function lengthOf({ length }: Uint8Array): Buffer {
  const prefix = Buffer.alloc(END.length)
  prefix.writeUInt32BE(length)
  return prefix
}

/** With `z` a command ends in NUL, and so does its answer. */
function commandOf(name: string): Buffer {
  return Buffer.from(`z${name}\0`)
}

/** Only these very words are a result. Everything else is a failure, whatever it seems to say. */
function resultOf(answer: string): ScanResult {
  if (answer === 'stream: OK') return { clean: true }
  const threat = /^stream: ([\x20-\x7e]{1,200}) FOUND$/.exec(answer)?.[1]
  if (threat === undefined) throw errorFrom(answer)
  return { clean: false, threat }
}
