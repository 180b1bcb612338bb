import type { Core } from '../kernel/core.ts'
import { listCertificates } from '../modules/tenant-removal/index.ts'
import { requireModules } from './admin-modules.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { withCore } from './own-command.ts'

export const adminCertificate: Command = {
  summary: 'show the certificate of a tenant that was removed for good',
  help: (cli) => `Usage: ${cli} admin certificate --tenant <slug|id>

Writes what GET /admin/tenants/:id/certificate answers, as JSON: what was removed, how much of it and when, with its hash and signature.
Of a slug that several tenants had, one after the other, all certificates, a line of JSON each. Exit code 0 when hash and signature fit and
the key is one of this installation, 1 otherwise.

  --tenant   the id that the tenant had, or the slug at its end`,
  options: { tenant: { type: 'string' } },
  run(values, options) {
    const name = readName(values)
    return withCore(options, (core) => show(core, name))
  },
}

function readName({ tenant }: Values): string {
  if (typeof tenant !== 'string' || tenant === '') throw new UsageError('--tenant is required: a slug or an id')
  return tenant
}

async function show(core: Core, name: string): Promise<number> {
  requireModules(core, 'tenant-removal')
  const found = await core.run((ctx) => listCertificates(ctx, name), { role: 'system', tenantId: null, readOnly: true })
  const [first] = found
  if (!first) throw new Error(`No tenant ${name} was removed for good`)
  if (found.length === 1) say(JSON.stringify(first, null, 2))
  else for (const each of found) say(JSON.stringify(each))
  return found.every(({ is_valid }) => is_valid) ? 0 : 1
}
