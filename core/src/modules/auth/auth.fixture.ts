import { type Ctx, type Module, newId } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, proveAddress, type TestCore, type TestCoreOptions } from '../../testing/index.ts'
import { mail } from '../mail/index.ts'
import { listMailbox, type StoredMail } from '../mail/mailbox.ts'
import { createMember, members } from '../members/index.ts'
import { pictures } from '../pictures/index.ts'
import { roles } from '../roles/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { addUser, users } from '../users/index.ts'
import { auth } from './index.ts'

export const PASSWORD = 'a quiet walk along the river'
export const OTHER_PASSWORD = 'seven lanterns over the harbour'
export const BOOTSTRAP_TOKEN = 'bootstrap-token-of-the-tests'

/** Sign-in and the modules that it stands on. */
export const authModules: readonly Module[] = [pictures, users, tenants, stores, roles, mail, members, auth]

/** A core of these alone. */
export const createAuthCore = (options: Omit<TestCoreOptions, 'modules'> = {}): Promise<TestCore> =>
  createTestCore({
    modules: authModules,
    ...options,
    env: { BOOTSTRAP_TOKEN, ...options.env },
  })

export interface Person {
  email: string
  userId: string
  tenantId: string
  token: string
  refreshToken: string
}

/** Somebody who has registered, with their tenant, and proven their address. */
export async function register(test: TestCore, fields: Record<string, string> = {}): Promise<Person> {
  const person = await registerUnproven(test, fields)
  await proveAddress(test, person.userId)
  return person
}

/** Somebody who has registered a moment ago: the mail that proves their address is on its way. */
export async function registerUnproven(test: TestCore, fields: Record<string, string> = {}): Promise<Person> {
  const body = {
    email: `${newId()}@example.com`,
    password: PASSWORD,
    name: 'Ada Byron',
    tenant_name: 'Acme',
    ...fields,
  }
  const answer = await test.request('POST', '/api/v1/auth/register', { body })
  if (answer.status !== 201) throw new Error(`register: ${answer.text}`)
  return { email: answer.body.user.email, ...personOf(answer.body) }
}

// biome-ignore lint/suspicious/noExplicitAny: the answer of a sign-in, whose shape other tests look at
function personOf(body: any) {
  return {
    userId: body.user.id,
    tenantId: body.tenant?.id,
    token: body.access_token,
    refreshToken: body.refresh_token,
  }
}

/** Signs in and gives the whole answer. */
export const login = (test: TestCore, email: string, password = PASSWORD, more: Record<string, unknown> = {}) =>
  test.request('POST', '/api/v1/auth/login', { body: { email, password, ...more } })

/** The status of a request that any live token may make. */
export const statusOf = async (test: TestCore, token: string) => {
  const { status, body } = await test.request('GET', '/api/v1/users/me', { token })
  return status === 200 ? 200 : `${status} ${body.code}`
}

export const refresh = (test: TestCore, refreshToken: string) =>
  test.request('POST', '/api/v1/auth/refresh', { body: { refresh_token: refreshToken } })

/** Makes a registered person a member of another tenant too, and gives them the date of now. */
export const addToTenant = (test: TestCore, person: Pick<Person, 'userId'>, tenantId: string) =>
  test.core.run(
    async (ctx: Ctx) => {
      const user = await ctx.tx
        .selectFrom('users')
        .selectAll()
        .where('id', '=', person.userId)
        .executeTakeFirstOrThrow()
      await createMember(ctx, { user, name: user.name })
    },
    { tenantId },
  )

/** A person who was invited somewhere and has no account yet. */
export const addStranger = (test: TestCore, email: string) =>
  test.core.run((ctx) => addUser(ctx, { email, name: 'Not Yet' }), { tenantId: null })

/** Runs every job that is due, those that jobs enqueue included. */
export async function runJobs({ core }: TestCore): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const waiting = await core.db.systemQuery<{ tenant_id: string }>(
      "select distinct tenant_id from tenant_jobs where status = 'waiting'",
    )
    await drainJobs(core, null)
    for (const { tenant_id } of waiting) await drainJobs(core, tenant_id)
  }
}

/** The mails to an address, newest first, after all jobs have run. */
export async function mailsTo(test: TestCore, email: string): Promise<StoredMail[]> {
  await runJobs(test)
  return (await listMailbox(test.dataDir)).filter((each) => each.to === email)
}

/** The token in the newest mail to an address whose subject contains `subject`. */
export async function tokenTo(test: TestCore, email: string, subject: string): Promise<string> {
  const mail = (await mailsTo(test, email)).find((each) => each.subject.includes(subject))
  const token = /\?token=(\S+)/.exec(mail?.text ?? '')?.[1]
  if (!token) throw new Error(`No mail about ${subject} came for ${email}`)
  return decodeURIComponent(token)
}

/** How many answers there were of each kind: `{ '200': 1, '400 invalid_token': 19 }`. */
export function tally(answers: { status: number; body: { code?: string } | string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const kind = status < 300 || typeof body === 'string' ? `${status}` : `${status} ${body.code}`
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Sends the same request twenty times at once. */
export const twenty = <T>(send: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => send(index)))
