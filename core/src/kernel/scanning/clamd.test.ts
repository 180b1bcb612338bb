import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { afterEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { until } from '../../testing/until.ts'
import { loadConfig } from '../config/config.ts'
import { createClamd } from './clamd.ts'
import { readClamdUrl } from './clamd-address.ts'
import type { ClamdTimes } from './clamd-connection.ts'
import { type Behaviour, type ClamdPeer, contentOf, isWhole, startClamdPeer } from './clamd-peer.fixture.ts'
import { openScanner } from './open.ts'
import { ScannerError } from './scanner.ts'

const peers: ClamdPeer[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.close()
})

async function peerThat(behave: Behaviour): Promise<ClamdPeer> {
  const peer = await startClamdPeer(behave)
  peers.push(peer)
  return peer
}

const at = (url: string, times?: Partial<ClamdTimes>) => createClamd(readClamdUrl(url) ?? assert.fail(url), times)
const content = () => Readable.from([Buffer.from('some '), Buffer.from('content')])

/** A peer that answers so when all has arrived. */
const answering = (answer: string) =>
  peerThat((socket, received) => {
    if (isWhole(received)) socket.end(answer)
  })

async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (result) => assert.fail(`it said ${JSON.stringify(result)}`),
    (error: unknown) => error,
  )
  assert.ok(error instanceof ScannerError, String(error))
  return error.reason
}

/** Content without an end; `taken` counts its parts. */
function endless() {
  const made = { taken: 0, isClosed: false, source }
  async function* source() {
    try {
      for (;;) {
        made.taken++
        yield Buffer.alloc(64 * 1024)
      }
    } finally {
      made.isClosed = true
    }
  }
  return made
}

/** What was never begun needs no end. */
const isOver = (made: ReturnType<typeof endless>) => made.isClosed || made.taken === 0

describe('a scan', { timeout: 60_000 }, () => {
  it('sends every byte of the content once and in order, whatever parts it comes in', async () => {
    const peer = await answering('stream: OK\0')
    const parts = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        assert.deepEqual(await at(peer.url).scan(Readable.from(given.map((part) => Buffer.from(part)))), {
          clean: true,
        })
        assert.deepEqual(contentOf(peer.received()), Buffer.concat(given))
      }),
      { seed: SEED, numRuns: 50 },
    )
    const large = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251))
    await at(peer.url).scan(Readable.from([large]))
    assert.ok(contentOf(peer.received())?.equals(large))
  })

  it('is clean by these words alone, and a threat by those that name one', async () => {
    assert.deepEqual(await at((await answering('stream: OK\0')).url).scan(content()), { clean: true })
    const found = await answering('stream: Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND\0')
    assert.deepEqual(await at(found.url).scan(content()), {
      clean: false,
      threat: 'Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68)',
    })
  })

  it('has no result when the answer is anything else', async () => {
    const answers: [answer: string, reason: string][] = [
      ['', 'broken'],
      ['stream: OK', 'broken'],
      ['stream: OK\n', 'broken'],
      ['\0', 'unexpected'],
      ['stream: OK \0', 'unexpected'],
      [' stream: OK\0', 'unexpected'],
      ['stream: ok\0', 'unexpected'],
      ['OK\0', 'unexpected'],
      ['stream: OK\n\0', 'unexpected'],
      ['stream: OK\0stream: OK\0', 'unexpected'],
      ['stream: OK\0 ', 'unexpected'],
      ['1: stream: OK\0', 'unexpected'],
      ['other: OK\0', 'unexpected'],
      ['stream: FOUND\0', 'unexpected'],
      ['stream:  FOUND\0', 'unexpected'],
      ['stream: a\x1b[31m FOUND\0', 'unexpected'],
      ['stream: a FOUND stream: OK\0', 'unexpected'],
      ['stream: Access denied. ERROR\0', 'unexpected'],
      ['INSTREAM size limit exceeded. ERROR\0', 'too_large'],
      ['UNKNOWN COMMAND\0', 'unexpected'],
      ['HTTP/1.1 400 Bad Request\r\n\r\n', 'broken'],
      ['x'.repeat(100_000), 'unexpected'],
      ['\xff\xfe\0', 'unexpected'],
    ]
    for (const [answer, reason] of answers)
      assert.equal(await reasonOf(at((await answering(answer)).url).scan(content())), reason, JSON.stringify(answer))
  })

  it('has no result when the answer comes before the whole content was sent, and then reads no more of it', async () => {
    for (const [answer, reason] of [
      ['stream: OK\0', 'unexpected'],
      ['stream: A FOUND\0', 'unexpected'],
      ['INSTREAM size limit exceeded. ERROR\0', 'too_large'],
    ] as const) {
      const peer = await peerThat((socket, received) => {
        if (received.length > 0) return
        socket.write(answer)
        // It reads on and keeps nothing: what a client that does not notice sends has no end.
        socket.removeAllListeners('data').resume()
      })
      const made = endless()
      assert.equal(await reasonOf(at(peer.url).scan(made.source())), reason, answer)
      await until('connection and content are closed', () => peer.open() === 0 && isOver(made))
    }
  })

  it('has no result when the connection ends at any time', async () => {
    for (const bytes of [0, 1, 9, 10, 14, 1_000_000]) {
      const peer = await peerThat((socket, received) => {
        if (received.length >= bytes) socket.destroy()
      })
      const made = endless()
      assert.match(await reasonOf(at(peer.url).scan(made.source())), /^(broken|unreachable)$/, `${bytes}`)
      await until('the content is closed', () => isOver(made))
    }
    const polite = await peerThat((socket, received) => {
      if (isWhole(received)) socket.end()
    })
    assert.equal(await reasonOf(at(polite.url).scan(content())), 'broken')
  })

  it('has no result when nobody listens', async () => {
    const peer = await answering('stream: OK\0')
    await peers.pop()?.close()
    assert.equal(await reasonOf(at(peer.url).scan(content())), 'unreachable')
    assert.equal(await reasonOf(at('unix:///nowhere/clamd.sock').scan(content())), 'unreachable')
  })
})

describe('the time of a scan', { timeout: 60_000 }, () => {
  it('ends when nothing of the content is taken, and it is held back meanwhile', async () => {
    const peer = await peerThat((socket) => void socket.pause())
    const made = endless()
    assert.equal(await reasonOf(at(peer.url, { progressMs: 500 }).scan(made.source())), 'timed_out')
    // What the buffers of two sockets hold, and no more.
    assert.ok(made.taken < 1_000, `${made.taken} parts were taken`)
    await until('the content is closed', () => isOver(made), 20_000)
  })

  it('ends when its source brings nothing, and closes that', async () => {
    const peer = await answering('stream: OK\0')
    const hanging = new Readable({ read() {} })
    assert.equal(await reasonOf(at(peer.url, { progressMs: 200 }).scan(hanging)), 'timed_out')
    assert.equal(hanging.destroyed, true)
  })

  it('ends when there is no answer, however slowly it drips', async () => {
    const silent = await peerThat(() => {})
    assert.equal(await reasonOf(at(silent.url, { wholeMs: 300 }).scan(content())), 'timed_out')
    const dripping = await peerThat((socket, received) => {
      if (!isWhole(received)) return
      const drips = setInterval(() => socket.write('s'), 20)
      socket.once('close', () => clearInterval(drips))
    })
    assert.equal(await reasonOf(at(dripping.url, { wholeMs: 500 }).scan(content())), 'timed_out')
    await until('the connections are closed', () => silent.open() + dripping.open() === 0)
  })

  it('goes on for as long as the scanner looks, which is longer than it may take a part', async () => {
    const peer = await peerThat((socket, received) => {
      if (isWhole(received)) setTimeout(() => socket.end('stream: OK\0'), 3_000)
    })
    assert.deepEqual(await at(peer.url, { progressMs: 2_000 }).scan(content()), { clean: true })
  })
})

describe('the content of a scan', () => {
  it('fails the scan with its own error, and ends the connection without an end of the content', async () => {
    const peer = await answering('stream: OK\0')
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('a part')
        throw new Error('the disk is gone')
      })(),
    )
    await assert.rejects(at(peer.url).scan(broken), /^Error: the disk is gone$/)
    await until('the connection is closed', () => peer.open() === 0)
    assert.equal(isWhole(peer.received()), false)
  })
})

describe('the check of a scanner', () => {
  it('says which clamd scans, and what is wrong with one that does not', async () => {
    const behaving = (scanned: string) =>
      peerThat((socket, received) => {
        if (received.equals(Buffer.from('zVERSION\0'))) socket.end('ClamAV 1.4.6/27000/Fri Nov 27 2026\0')
        else if (isWhole(received)) socket.end(scanned)
      })
    assert.equal(await at((await behaving('stream: OK\0')).url).check(), 'ClamAV 1.4.6/27000/Fri Nov 27 2026 scans.')
    await assert.rejects(at((await behaving('UNKNOWN COMMAND\0')).url).check(), /no result: UNKNOWN COMMAND$/)
    await assert.rejects(
      at((await behaving('stream: All.Bad FOUND\0')).url).check(),
      /takes a harmless text for All\.Bad/,
    )
    const other = await peerThat((socket) => void socket.end('220 mail.example ESMTP\0'))
    await assert.rejects(at(other.url).check(), ScannerError)
  })
})

describe('the scanner of a core', () => {
  it('is that of the application, else of CLAMAV_URL, else none', () => {
    const own = at('tcp://clamd')
    assert.equal(openScanner(loadConfig({ CLAMAV_URL: 'tcp://clamd' }), own), own)
    assert.equal(openScanner(loadConfig({ CLAMAV_URL: 'tcp://clamd' }))?.name, 'clamd')
    assert.equal(openScanner(loadConfig({})), null)
    assert.throws(() => openScanner({ ...loadConfig({}), clamavUrl: 'clamd:3310' }), /CLAMAV_URL/)
  })
})
