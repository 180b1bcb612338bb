import type { Core } from '../kernel/core.ts'
import { revokeSessions } from '../modules/admin/index.ts'
import { findUserByEmail } from '../modules/users/index.ts'
import { requireModules } from './admin-modules.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { withCore } from './own-command.ts'

export const adminRevokeSessions: Command = {
  summary: 'end every session of a person',
  help: (cli) => `Usage: ${cli} admin revoke-sessions --email <address>

Signs the person out everywhere, in every process within a second. Their password and their API keys stay as they are. It is
recorded as done by the system.

  --email   the address that they sign in with`,
  options: { email: { type: 'string' } },
  run(values, options) {
    const email = readEmail(values)
    return withCore(options, (core) => revoke(core, email))
  },
}

function readEmail({ email }: Values): string {
  if (typeof email !== 'string' || email === '') throw new UsageError('--email is required')
  return email
}

async function revoke(core: Core, email: string): Promise<number> {
  requireModules(core, 'admin')
  const known = await core.run(
    async (ctx) => {
      const user = await findUserByEmail(ctx.tx, email)
      if (user) await revokeSessions(ctx, user.id)
      return user
    },
    { role: 'system', tenantId: null },
  )
  if (!known) throw new Error(`Nobody has the address ${email}`)
  return say(`${known.email} is signed out everywhere.`)
}
