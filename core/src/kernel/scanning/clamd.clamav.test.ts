import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { examine, type Finding } from '../../cli/doctor-looks.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { createClamd } from './clamd.ts'
import { readClamdUrl } from './clamd-address.ts'
import type { ClamdTimes } from './clamd-connection.ts'
import { type ClamdServer, MARKER, startClamd, THREAT, WITHOUT_CLAMD } from './clamd-server.fixture.ts'
import { type Scanner, ScannerError } from './scanner.ts'

const MIB = 1024 * 1024

const at = (url: string, times?: Partial<ClamdTimes>) => createClamd(readClamdUrl(url) ?? assert.fail(url), times)

async function findingOf({ core }: TestCore): Promise<Finding> {
  for await (const finding of examine(core)) if (finding.name === 'scanner') return finding
  return assert.fail('nothing looked at the scanner')
}

const scan = (scanner: Scanner, ...parts: (string | Uint8Array)[]) =>
  scanner.scan(Readable.from(parts.map((part) => Buffer.from(part))))

const failsWith = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof ScannerError, String(error))
  assert.equal(error.reason, reason)
  return true
}

describe('the clamd of the distribution', { skip: WITHOUT_CLAMD, timeout: 300_000 }, () => {
  let server: ClamdServer
  before(async () => {
    server = await startClamd(['StreamMaxLength 64M', 'MaxScanSize 64M', 'MaxFileSize 64M'])
  })
  after(() => server?.close())

  for (const way of ['url', 'socketUrl'] as const)
    it(`finds what its signature describes and nothing else, by ${way === 'url' ? 'TCP' : 'its socket'}`, async () => {
      const scanner = at(server[way])
      assert.deepEqual(await scan(scanner, 'a text without harm'), { clean: true })
      assert.deepEqual(await scan(scanner, `before ${MARKER} behind`), { clean: false, threat: THREAT })
      assert.deepEqual(await scan(scanner, 'a'.repeat(1_000), MARKER.slice(0, 9), MARKER.slice(9)), {
        clean: false,
        threat: THREAT,
      })
      assert.deepEqual(await scan(scanner, '', new Uint8Array(), 'empty parts do not end a content', '', MARKER), {
        clean: false,
        threat: THREAT,
      })
      assert.deepEqual(await scan(scanner), { clean: true })
    })

  it('is sent a large content whole, in parts of any size', async () => {
    const scanner = at(server.url)
    const large = Buffer.alloc(20 * MIB, 'abcdefg ')
    assert.deepEqual(await scan(scanner, large), { clean: true })
    assert.deepEqual(await scan(scanner, large, MARKER), { clean: false, threat: THREAT })
  })

  it('scans several contents at once, each for itself', async () => {
    const scanner = at(server.socketUrl)
    const contents = Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? MARKER : `text ${index}`))
    const results = await Promise.all(contents.map((content) => scan(scanner, content)))
    assert.deepEqual(
      results.map(({ clean }) => clean),
      contents.map((content) => content !== MARKER),
    )
  })

  it('is looked at by the doctor, and named when it is gone', async () => {
    const test = await createTestCore({ env: { CLAMAV_URL: server.url } })
    try {
      assert.match((await findingOf(test)).fine ?? '', /^ClamAV \d.* scans\.$/)
      await test.core.run(async (ctx) => assert.equal(ctx.scanner, test.core.scanner))
      await server.kill()
      const { problems, advice } = await findingOf(test)
      assert.deepEqual(problems, ['The scanner cannot be reached: ECONNREFUSED'])
      assert.match(advice ?? '', /CLAMAV_URL/)
      await server.start()
    } finally {
      await test.close()
    }
  })

  it('gives no result while it is gone, and results again when it is back', async () => {
    const scanner = at(server.url)
    await server.kill()
    await assert.rejects(scan(scanner, 'a text'), failsWith('unreachable'))
    await assert.rejects(at(server.socketUrl).check(), failsWith('unreachable'))
    await server.start()
    assert.deepEqual(await scan(scanner, 'a text'), { clean: true })
  })
})

describe('a clamd that has stopped', { skip: WITHOUT_CLAMD, timeout: 300_000 }, () => {
  let server: ClamdServer
  before(async () => {
    server = await startClamd(['MaxConnectionQueueLength 1'])
  })
  after(() => server?.close())

  it('gives no result to those whose connection its system took, nor to those that wait for one', async () => {
    const scanner = at(server.url, { connectMs: 1_000, progressMs: 1_000, wholeMs: 2_000 })
    server.signal('SIGSTOP')
    const scans = await Promise.allSettled(Array.from({ length: 20 }, () => scan(scanner, 'a text')))
    server.signal('SIGCONT')
    const messages = scans.map((one) => (one.status === 'rejected' ? String(one.reason.message) : 'a result'))
    for (const message of messages) assert.match(message, /^The scanner did not answer in time/)
    assert.ok(messages.some((message) => message.endsWith('it takes no connection')))
    assert.deepEqual(await scan(at(server.url), 'a text'), { clean: true })
  })
})

describe('a clamd with limits', { skip: WITHOUT_CLAMD, timeout: 300_000 }, () => {
  let server: ClamdServer
  before(async () => {
    server = await startClamd(['StreamMaxLength 1M', 'MaxFileSize 64K', 'AlertExceedsMax yes'])
  })
  after(() => server?.close())

  it('gives no result about a content that is larger than it takes', async () => {
    for (const url of [server.url, server.socketUrl]) {
      const error = await scan(at(url), Buffer.alloc(40 * MIB)).catch((error: unknown) => error)
      assert.ok(error instanceof ScannerError, String(error))
      // Its word about the limit is lost where its system resets the connection, on which more was to come.
      assert.ok(['too_large', 'broken'].includes(error.reason), error.reason)
      await assert.rejects(scan(at(url), Buffer.alloc(MIB + 1)), ScannerError)
    }
  })

  it('takes a content for a threat that is larger than it looks into, where it is told to', async () => {
    const result = await scan(at(server.url), Buffer.alloc(512 * 1024, 'a'))
    assert.deepEqual(result, { clean: false, threat: 'Heuristics.Limits.Exceeded.MaxFileSize' })
  })
})
