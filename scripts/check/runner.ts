import { type Report, TestProcess } from './test-process.ts'

export interface RunnerOptions {
  /** Processes side by side. */
  lanes: number
  /** How many files a process runs before another takes over: what they leave in its memory is thrown away then. */
  filesPerProcess: number
  /** Whether a file needs a process to itself. */
  isAlone(file: string): boolean
  /** After this long a file has failed. */
  fileTimeoutMs: number
  /** This long a process may go on after its last test. */
  endTimeoutMs: number
  /** What the environment of the processes has beside that of this one. */
  env?: NodeJS.ProcessEnv
}

/** Runs test files, several in a process, and reports each once it has ended; a process by itself only where it failed. */
export async function runFiles(
  files: readonly string[],
  report: (report: Report) => void,
  options: RunnerOptions,
): Promise<void> {
  const queue = [...files]
  await Promise.all(Array.from({ length: options.lanes }, () => runLane(queue, report, options)))
}

async function runLane(queue: string[], report: (report: Report) => void, options: RunnerOptions): Promise<void> {
  let running: TestProcess | undefined
  const finish = async () => {
    const failed = await running?.finish(options.endTimeoutMs)
    if (failed) report(failed)
    running = undefined
  }
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (running && !takes(running, file, options)) await finish()
    running ??= new TestProcess(options.env)
    report(await running.run(file, options.fileTimeoutMs))
  }
  await finish()
}

function takes({ files, hasEnded }: TestProcess, file: string, { filesPerProcess, isAlone }: RunnerOptions): boolean {
  return !hasEnded && files.length < filesPerProcess && ![...files, file].some((each) => isAlone(each))
}
