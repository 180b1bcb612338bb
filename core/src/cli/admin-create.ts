import { text } from 'node:stream/consumers'
import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import { randomToken } from '../kernel/secrets.ts'
import { closeBootstrap, findAccountByEmail, openAccount } from '../modules/auth/index.ts'
import { setOperator } from '../modules/operators/index.ts'
import { rolesOfOperator, type UserRow } from '../modules/users/index.ts'
import { requireModules } from './admin-modules.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { readLine } from './line-option.ts'
import { withCore } from './own-command.ts'

const MOST_NAME = 200
const system = { role: 'system', tenantId: null } as const // words are types

export const adminCreate: Command = {
  summary: 'make somebody a super admin',
  help: (cli) => `Usage: ${cli} admin create --email <address> [--name <name>] [--password-stdin]

Makes whoever has the address a super admin, who may everything that operators may; a person without an account gets one. Works when
nobody can sign in. Who has a password keeps it, and has confirmed their address: anybody may have registered it otherwise. Anybody else
gets a password that is shown this once, or the one on standard input. It is recorded as done by the system, and the bootstrap token is
good for nothing afterwards.

  --email            the address that they sign in with
  --name             what to call them; required for a new person
  --password-stdin   the first line of standard input is the password of who has none yet`,
  options: { email: { type: 'string' }, name: { type: 'string' }, 'password-stdin': { type: 'boolean' } },
  run(values, options) {
    const wanted = readWanted(values)
    return withCore(options, (core) => create(core, wanted))
  },
}

interface Wanted {
  email: string
  name: string | undefined
  reads: boolean
}

function readWanted({ email, name, 'password-stdin': reads }: Values): Wanted {
  if (typeof email !== 'string' || email === '') throw new UsageError('--email is required')
  return { email, name: name === undefined ? undefined : readLine('--name', name, MOST_NAME), reads: reads === true }
}

async function create(core: Core, wanted: Wanted): Promise<number> {
  requireModules(core, 'auth', 'operators')
  const account = await core.run(({ tx }) => findAccountByEmail(tx, wanted.email), system)
  if (account && account.user.status !== 'active')
    throw new Error(`${account.user.email} is disabled and cannot sign in`)
  if (account?.passwordHash) {
    requireOwn(account.user, wanted)
    return promote(core, account.user, null)
  }
  const name = wanted.name ?? account?.user.name
  if (name === undefined) throw new UsageError(`${wanted.email} has no account yet: --name is required`)
  const given = wanted.reads ? await readPassword() : null
  const password = given ?? randomToken()
  const ctx = createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  const user = await openAccount(ctx, { email: wanted.email, name, password })
  return promote(core, user, given === null ? password : null)
}

/** Throws unless whoever has the password is known to have the address too, which is nobody but its registrant otherwise. */
function requireOwn(user: UserRow, { reads }: Wanted): void {
  if (reads) throw new UsageError(`${user.email} has a password already, which stays: leave --password-stdin out`)
  if (user.email_verified_at !== null || user.is_super_admin) return
  throw new Error(
    `${user.email} has an account, but nobody has confirmed the address: whoever registered it may be somebody else. Have them open the link that was mailed to it, or set a new password by "forgot password"; or name another address`,
  )
}

/** `shown`: a password that nobody but this process knows. */
async function promote(core: Core, user: UserRow, shown: string | null): Promise<number> {
  const held = rolesOfOperator(user)
  await core.run(async (ctx) => {
    await setOperator(ctx, { user_id: user.id, roles: [...new Set([...held, 'all' as const])] }) // one of the words
    await closeBootstrap(ctx, user.id)
  }, system)
  say(`${user.email} is ${held.includes('all') ? 'a super admin already' : 'a super admin now'}.`)
  return shown === null ? 0 : say(`Password: ${shown} (shown this once)`)
}

async function readPassword(): Promise<string> {
  const [first = ''] = (await text(process.stdin)).split(/\r?\n/)
  if (first === '') throw new UsageError('standard input has no password in its first line')
  return first
}
