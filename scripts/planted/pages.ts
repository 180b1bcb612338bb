import type { Plant } from './plant.ts'

export const plants: Plant[] = [
  {
    guard: 'A server that was told to stop says on /health/ready that it is not ready',
    file: 'core/src/kernel/health.ts',
    find: 'if (!core.stopping) return checkChecks()',
    replace: 'if (core.config) return checkChecks()',
    tests: ['core/test/stopping.test.ts'],
  },
  {
    guard: 'A server that was told to stop goes on answering for SHUTDOWN_DELAY',
    file: 'core/src/kernel/http/draining.ts',
    find: 'if (app.server.listening && delayMs > 0) await sleep(delayMs)',
    replace: 'if (app.server.listening && delayMs < 0) await sleep(delayMs)',
    tests: ['core/test/stopping.test.ts'],
  },
  {
    guard: 'A connection that never sent anything does not hold up a stop',
    file: 'core/src/kernel/http/draining.ts',
    find: 'return bytesRead === 0 || passedMs > HALF_SENT_MS',
    replace: 'return bytesRead < 0 && passedMs > HALF_SENT_MS',
    tests: ['core/test/stopping.test.ts'],
  },
  {
    guard: 'SIGHUP stops a server in order, its PostgreSQL included',
    file: 'core/src/cli/lifetime.ts',
    find: "const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const",
    replace: "const SIGNALS = ['SIGINT', 'SIGTERM'] as const",
    tests: ['core/test/stopping.test.ts'],
  },
  {
    guard: 'An embedded PostgreSQL that was killed is started again',
    file: 'core/src/kernel/db/embedded-watch.ts',
    find: 'const PAUSES_MS = [100, 500, 2_000, 5_000]',
    replace: 'const PAUSES_MS: number[] = []',
    tests: ['core/test/embedded-lost.test.ts'],
  },
]
