// What a test file may not leave changed for the files that run after it in the same process.

/** What one file can see of another that ran before it. */
const readState = () => ({
  'another working folder': process.cwd(),
  'another environment': JSON.stringify(Object.entries(process.env).filter(isOurs).sort()),
  'listeners to signals': SIGNALS.map((signal) => process.listenerCount(signal)).join(),
  'listeners to uncaught errors': UNCAUGHT.map((name) => process.listenerCount(name)).join(),
  'another clock': [Date, setTimeout, setInterval, setImmediate],
  'another fetch': [fetch],
})

/** The library that reads pictures sets its own when it is loaded, which only it heeds. */
const isOurs = ([name]: [string, unknown]) => name !== 'VIPSHOME'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const UNCAUGHT = ['uncaughtException', 'unhandledRejection'] as const

let noted = readState()

/** To be called before a file runs. */
export function noteState(): void {
  noted = readState()
}

/** What has changed since, in words that end a sentence. */
export function findChanges(): string[] {
  const now = readState()
  return Object.entries(noted).flatMap(([name, before]) => {
    const after: unknown = now[name as keyof typeof now] // both have the same names
    return isSame(before, after) ? [] : [name]
  })
}

function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return one.every((each, index) => each === other[index])
  return one === other
}
