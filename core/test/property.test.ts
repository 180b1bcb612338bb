import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { type Answered, createTestCore, type TestCore } from '../src/testing/index.ts'
import { SEED } from '../src/testing/seed.ts'
import { type Application, builtinApplication, createOwner, type Owner, toyApplication } from './people.ts'
import { type Credential, type GeneratedRequest, requestsFrom } from './requests-from-document.ts'

/** Sent side by side, so that requests also meet each other. */
const BATCH = 5
/** New tenants after so many batches: what went before has changed the old ones beyond interest. */
const BATCHES_PER_WORLD = 100

/** The owners of two tenants; `spent` are those whose credential is worth nothing any more. */
interface World {
  owner: Owner
  other: Owner
  spent: Set<Owner>
}

for (const [name, application, requests] of [
  ['a toy module', toyApplication, 500],
  ['the built-in modules', builtinApplication, 5_000],
] as const) {
  describe(`${requests} requests made up from the API document of ${name}`, () => {
    it('never meet a 500, an undeclared answer or a byte of another tenant', { timeout: 500_000 }, async (context) => {
      const test = await createTestCore({
        modules: application.modules,
        env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' },
      })
      try {
        const begun = performance.now()
        const sent = await sendMany(test, application, requests)
        const seconds = Math.round((performance.now() - begun) / 1000)
        const byStatus = [...sent].sort().map(([status, count]) => `${status}: ${count}`)
        context.diagnostic(`seed ${SEED}, ${seconds} s, answers ${byStatus.join(', ')}`)
        const total = [...sent.values()].reduce((sum, count) => sum + count, 0)
        assert.ok(total >= requests, `only ${total} requests were sent`)
        for (const least of ['200', '400', '401', '404']) assert.ok(sent.has(Number(least)), `no answer was ${least}`)
      } finally {
        await test.close()
      }
    })
  })
}

async function sendMany(test: TestCore, application: Application, requests: number): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  let world: World | undefined
  let batches = 0
  const batch = fc.array(requestsFrom(openapiDocument(test.core)), { minLength: BATCH, maxLength: BATCH })
  const property = fc.asyncProperty(batch, async (generated) => {
    const isOld = batches++ % BATCHES_PER_WORLD === 0
    const here = await renewWorld(test, application, isOld ? undefined : world)
    world = here
    await Promise.all(
      generated.map(async (request) => {
        const answer = await send(test, here, request)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      }),
    )
  })
  await fc.assert(property, { seed: SEED, numRuns: Math.ceil(requests / BATCH), endOnFailure: true })
  return statuses
}

async function renewWorld(test: TestCore, application: Application, world?: World): Promise<World> {
  const renew = (owner?: Owner) => (owner && !world?.spent.has(owner) ? owner : createOwner(test, application))
  const [owner, other] = await Promise.all([renew(world?.owner), renew(world?.other)])
  return { owner, other, spent: new Set() }
}

async function send(test: TestCore, world: World, request: GeneratedRequest): Promise<Answered> {
  const isSignedIn = request.credential === 'owner' || request.credential === 'other'
  const mine = request.credential === 'other' ? world.other : world.owner
  const theirs = request.credential === 'other' ? world.owner : world.other
  const fill = (text: string) =>
    text.replace(/@(mine|theirs):(\d+)@/g, (_, whose, n) => pick(whose === 'mine' ? mine.ids : theirs.ids, Number(n)))
  // The requester throws when the answer is not as the document says.
  const answer = await test.request(request.method, fill(request.url), {
    headers: { ...mapValues(request.headers, fill), ...credentialHeaders(request.credential, mine) },
    ...(request.payload === undefined ? {} : { payload: fill(request.payload) }),
  })
  const story = () => `${JSON.stringify(request)}\n${answer.status} ${answer.text.slice(0, 1000)}\n${lastErrors(test)}`
  assert.ok(answer.status < 500, story())
  const all = answer.text + JSON.stringify(answer.headers)
  assert.ok(!all.toLowerCase().includes(theirs.marker.toLowerCase()), `another tenant's text came out: ${story()}`)
  if (!isSignedIn)
    assert.ok(!all.toLowerCase().includes(mine.marker.toLowerCase()), `nobody was shown a tenant's text: ${story()}`)
  assert.doesNotMatch(answer.text, /\n\s+at .*:\d+:\d+|node_modules|syntax error at|violates .* constraint/, story())
  if (answer.status === 401 && isSignedIn) world.spent.add(mine)
  return answer
}

function credentialHeaders(credential: Credential, { token }: Owner): Record<string, string> {
  if (credential === 'none') return {}
  if (credential === 'garbage') return { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' }
  if (credential === 'cut') return { authorization: `Bearer ${token.slice(0, -4)}` }
  if (credential === 'key') return { 'x-api-key': 'tk_live_00000000_x' }
  return { authorization: `Bearer ${token}` }
}

function pick(ids: readonly string[], n: number): string {
  return ids[n % ids.length] ?? '00000000-0000-7000-8000-000000000000'
}

function mapValues(record: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}

function lastErrors({ logs }: TestCore): string {
  return logs
    .filter((line) => line.includes('"level":50'))
    .slice(-2)
    .join('')
    .slice(0, 3000)
}
