import { createHash } from 'node:crypto'
import type { Counter, RateStore, Taken } from './store.ts'

/**
 * Raises all counts, or none when one is at its maximum. Redis runs a script as one step, and its clock alone says when
 * a window ends; one that was set back lengthens no window.
 */
const SCRIPT = `
local used, left, isAllowed = {}, {}, 1
for i, key in ipairs(KEYS) do
  local max, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  used[i], left[i] = tonumber(redis.call('GET', key) or 0), window
  if used[i] > 0 then
    local rest = redis.call('PTTL', key)
    if rest < 0 or rest > window then redis.call('PEXPIRE', key, window) else left[i] = rest end
  end
  if used[i] >= max then isAllowed = 0 end
end
local answer = { isAllowed }
for i, key in ipairs(KEYS) do
  if isAllowed == 1 then
    if used[i] == 0 then redis.call('SET', key, 1, 'PX', left[i]) else redis.call('INCR', key) end
    used[i] = used[i] + 1
  end
  answer[2 * i], answer[2 * i + 1] = used[i], left[i]
end
return answer`
const SCRIPT_HASH = createHash('sha1').update(SCRIPT).digest('hex')

const PROBE: Counter = { policy: 'probe', subject: 'probe', max: Number.MAX_SAFE_INTEGER, windowMs: 1_000 }
const CONNECT_MS = 2_000

type Client = Awaited<ReturnType<typeof createClient>>

/** Counts in Redis or Valkey, for all processes that are given the same server. Keys begin with `prefix`. */
export function createRedisRates(url: string, prefix: string): RateStore {
  let client: Client | undefined
  let lost: (error: unknown) => void = () => undefined

  async function connect(): Promise<Client> {
    drop()
    const made = await createClient(url)
    client = made
    made.on('error', (error: unknown) => {
      if (client === made) lost(error)
    })
    await made.connect()
    return made
  }

  function drop(): void {
    const old = client
    client = undefined
    try {
      if (old?.isOpen) old.destroy()
    } catch {
      // It closed meanwhile.
    }
  }

  async function run(by: Client, counters: readonly Counter[]): Promise<Taken> {
    const keys = counters.map(({ policy, subject }) => `${prefix}${policy}:${subject}`)
    const figures = counters.flatMap(({ max, windowMs }) => [String(max), String(windowMs)])
    const rest = [String(keys.length), ...keys, ...figures]
    let answer: unknown
    try {
      answer = await by.sendCommand(['EVALSHA', SCRIPT_HASH, ...rest])
    } catch (error) {
      // A server that has begun anew does not know the script yet.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      answer = await by.sendCommand(['EVAL', SCRIPT, ...rest])
    }
    return takenOf(answer, counters.length)
  }

  return {
    take(counters) {
      if (!client) throw new Error('CLOSED')
      return run(client, counters)
    },
    async probe() {
      const by = client?.isReady ? client : await connect()
      await run(by, [PROBE])
    },
    onLost(call) {
      lost = call
    },
    drop,
    close: async () => drop(),
  }
}

/** Loaded when first needed: without REDIS_URL nobody waits for it. */
async function createClient(url: string) {
  const redis = await import('@redis/client')
  return redis.createClient({
    url,
    // Half the work of the newer protocol, for answers that are numbers.
    RESP: 2,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // Whoever holds this client connects anew and gives up in time, once for all requests.
    commandOptions: { timeout: undefined },
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
  })
}

function takenOf(answer: unknown, amount: number): Taken {
  const numbers = Array.isArray(answer) ? answer : []
  if (numbers.length !== 1 + 2 * amount || !numbers.every(Number.isFinite))
    throw new Error('UNREADABLE: the script did not answer with numbers')
  const counts = Array.from({ length: amount }, (_, index) => ({
    used: numbers[1 + 2 * index],
    leftMs: numbers[2 + 2 * index],
  }))
  return { isAllowed: numbers[0] === 1, counts }
}
