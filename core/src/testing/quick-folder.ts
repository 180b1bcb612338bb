import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const IN_MEMORY = '/dev/shm'
const ENOUGH_BYTES = 2 * 1024 ** 3

/**
 * Where tests keep what they throw away: in memory, where the system has such a folder with room enough, since making a
 * database of a few hundred files takes a tenth of the work there; else in the folder for temporary files. Nothing can be
 * relied on to be executable there. A run of many tests names a folder of its own by `TEST_FOLDER`, and removes it: whatever
 * a test that is killed leaves goes with it.
 */
export function quickFolder(): string {
  const ofRun = process.env.TEST_FOLDER // not configuration of the server: it belongs to the test run
  if (ofRun) return ofRun
  try {
    accessSync(IN_MEMORY, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = statfsSync(IN_MEMORY)
    return bavail * bsize >= ENOUGH_BYTES ? IN_MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}
