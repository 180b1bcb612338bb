import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** What a name has: TXT records, or a name server that does not answer, or says that it cannot. */
export type Zone = Map<string, readonly string[] | 'silent' | 'broken'>

/** A name server on loopback for tests. */
export interface DnsServer {
  /** `127.0.0.1:<port>`, as `MAIL_DNS_SERVERS` takes it. */
  address: string
  /** By name in lower case; what it does not have does not exist. */
  zone: Zone
  /** Names that were asked for, in their order. */
  asked: string[]
  close(): Promise<void>
}

const HEADER_BYTES = 12
const TXT = 16
/** Longer answers are cut off over UDP, and asked for again over TCP. */
const MAX_UDP_BYTES = 1_232

/** Answers questions for TXT records from a zone, by UDP and TCP. */
export async function startDnsServer(zone: Zone = new Map()): Promise<DnsServer> {
  const asked: string[] = []
  const tcp = createServer((connection) => {
    let got = Buffer.alloc(0)
    connection.on('error', () => connection.destroy())
    connection.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return
      const answer = answerTo(got.subarray(2), zone, asked)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answer?.length ?? 0)
      if (answer) connection.end(Buffer.concat([length, answer]))
    })
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo // it listens on a port
  const udp = createSocket('udp4')
  udp.on('message', (question, from) => {
    const answer = answerTo(question, zone, asked)
    if (answer) udp.send(answer.length > MAX_UDP_BYTES ? cutOff(question) : answer, from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  return {
    address: `127.0.0.1:${port}`,
    zone,
    asked,
    close: async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

function answerTo(question: Buffer, zone: Zone, asked: string[]): Buffer | null {
  const { name, end } = nameIn(question)
  asked.push(name)
  const found = zone.get(name)
  if (found === 'silent') return null
  if (found === 'broken') return headed(question, end, { code: 2, answers: [] })
  return headed(question, end, { code: found ? 0 : 3, answers: (found ?? []).map(recordOf) })
}

function nameIn(question: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 5 } // its end, its type and its class
}

function headed(question: Buffer, end: number, { code, answers }: { code: number; answers: Buffer[] }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  question.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8580 | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...answers])
}

const cutOff = (question: Buffer) => {
  const answer = headed(question, nameIn(question).end, { code: 0, answers: [] })
  answer.writeUInt16BE(0x8780, 2)
  return answer
}

function recordOf(text: string): Buffer {
  const bytes = Buffer.from(text)
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const part = bytes.subarray(at, at + 255)
    parts.push(Buffer.from([part.length]), part)
  }
  const data = Buffer.concat(parts)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0) // the name of the question
  head.writeUInt16BE(TXT, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
