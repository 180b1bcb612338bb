import type { Plant } from './plant.ts'

const SCANNING = 'core/src/kernel/scanning'
const tests = [`${SCANNING}/clamd.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'Only the very words of clamd say that a content is clean',
    file: `${SCANNING}/clamd.ts`,
    find: "if (answer === 'stream: OK') return",
    replace: "if (answer.includes('OK')) return",
    tests,
  },
  {
    guard: 'What is neither clean nor a threat is no result of a scan',
    file: `${SCANNING}/clamd.ts`,
    find: 'if (threat === undefined) throw errorFrom(answer)',
    replace: 'if (threat === undefined) return { clean: true }',
    tests,
  },
  {
    guard: 'An answer before the whole content was sent is none about it',
    file: `${SCANNING}/clamd-connection.ts`,
    find: 'else if (!this.#isAllWritten) this.#fail(errorFrom(text))',
    replace: 'else if (!this.#isAllWritten) this.#answered.resolve(text)',
    tests,
  },
  {
    guard: 'An answer that was cut off is none',
    file: `${SCANNING}/clamd-connection.ts`,
    find: "socket.on('close', () => fail(new ScannerError('broken')))",
    replace: "socket.on('close', () => this.#answered.resolve(Buffer.concat(this.#parts).toString('latin1')))",
    tests,
  },
  {
    guard: 'An answer with something behind it is none',
    file: `${SCANNING}/clamd-connection.ts`,
    find: 'end < 0 || end !== received.length - 1',
    replace: 'end < 0',
    tests,
  },
  {
    guard: 'A scanner that takes nothing of a content ends the scan',
    file: `${SCANNING}/clamd-connection.ts`,
    find: "this.#fail(new ScannerError('timed_out', 'nothing goes on'))",
    replace: 'undefined',
    tests,
  },
  {
    guard: 'A scanner that never answers ends the scan',
    file: `${SCANNING}/clamd-connection.ts`,
    find: "setTimeout(() => fail(new ScannerError('timed_out')), times.wholeMs)",
    replace: 'setTimeout(() => undefined, times.wholeMs)',
    tests,
  },
  {
    guard: 'A content whose scan has failed is read no further, and closed',
    file: `${SCANNING}/clamd.ts`,
    find: 'if (!isRead) abandon(content, source)',
    replace: '',
    tests,
  },
  {
    guard: 'A scan is of all parts of a content, also behind an empty one',
    file: `${SCANNING}/clamd.ts`,
    find: 'for (let at = 0; at < bytes.length; at += PART_BYTES) yield',
    replace: 'for (let at = 0; at === 0 || at < bytes.length; at += PART_BYTES) yield',
    tests,
  },
  {
    guard: 'A CLAMAV_URL that leads nowhere stops the start in place of switching the scanner off',
    file: `${SCANNING}/open.ts`,
    find: "if (!address) throw new Error('CLAMAV_URL must be tcp://host:3310 or unix:///path')",
    replace: 'if (!address) return null',
    tests,
  },
  {
    guard: 'A file that is larger than the scanner takes is not sent to it again and again',
    file: 'core/src/modules/files/scan.ts',
    find: 'isTooLarge ? TOO_LARGE_MS : TRIED_MS',
    replace: 'TRIED_MS',
    tests: ['core/src/modules/files/scan.test.ts'],
  },
  {
    guard: 'Files that cannot be scanned keep no others from their turn',
    file: 'core/src/modules/files/scan.ts',
    find: '      await updateScanRetry(ctx.tx, ctx.tenantId, ids, fromNow(ctx.clock, TRIED_MS))\n',
    replace: '',
    tests: ['core/src/modules/files/scan.test.ts'],
  },
]
