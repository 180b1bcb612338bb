import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A mail server that answers as a test says. */
export interface Peer {
  url: string
  /** What it took, the first one first. */
  received: { from: string; to: string; raw: string }[]
  /** Its word on a recipient: null takes it. Thrown away by `reset`. */
  onRecipient(answer: (to: string) => { code: number; text: string } | null): void
  /** Awaited when the whole mail is there, before it is taken; what throws is not taken. */
  onMail(wait: () => Promise<void>): void
  reset(): void
  close(): Promise<void>
}

export async function startPeer(): Promise<Peer> {
  const received: Peer['received'] = []
  let answer: (to: string) => { code: number; text: string } | null = () => null
  let wait = async () => {}
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, done) {
      const refusal = answer(address)
      done(refusal ? Object.assign(new Error(refusal.text), { responseCode: refusal.code }) : null)
    },
    async onData(stream, session, done) {
      let raw: string
      try {
        // Fails when its client is killed.
        raw = Buffer.concat(await stream.toArray()).toString()
        await wait()
      } catch (error) {
        done(error as Error) // a test throws an Error
        return
      }
      const { mailFrom, rcptTo } = session.envelope
      received.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo[0]?.address ?? '', raw })
      // As most do, so that whoever runs the server finds the mail again.
      done(null, `OK: taken as number ${received.length}`)
    },
  })
  // A client that is killed breaks its connection off.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo // it listens on a port
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    onRecipient: (to) => {
      answer = to
    },
    onMail: (waiting) => {
      wait = waiting
    },
    reset() {
      received.length = 0
      answer = () => null
      wait = async () => {}
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
