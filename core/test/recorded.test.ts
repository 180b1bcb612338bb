import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { routeName } from '../src/testing/isolation/catalogue.ts'
import { createPeopledWorld, type PeopledWorld } from './route-people.ts'
import { prepare, send } from './route-requests.ts'

/** Routes that succeed and record nothing, and why that is right. */
const SILENT: Readonly<Record<string, string>> = {
  'POST /auth/refresh': 'the session goes on as it was; that it began, ended or was stolen is recorded',
  'POST /auth/forgot-password': 'anybody may ask for the mail; what is done with its link is recorded',
  'POST /auth/resend-verification': 'sends a mail again; that the address was proven is recorded',
  'POST /authz/explain': 'answers a question',
  'POST /audit/sinks/:id/test': 'sends an empty batch and changes nothing',
  'POST /subscriptions/current/change-plan/preview': 'answers a question',
  'POST /tenants/current/mail-domain/verify':
    'asks the name servers; that the domain counts from now on, or no more, is recorded',
  'POST /files/uploads': 'holds a part of the quota until it becomes a file, which is recorded, or is given up',
  'POST /files/tus': 'as above',
  'PUT /file-uploads/:token': 'sends bytes of an upload; the file that it becomes is recorded',
  'PATCH /files/tus/:id': 'as above; its last bytes make the file',
  'DELETE /files/tus/:id': 'gives an upload up that is no file yet',
  'OPTIONS /files/tus': 'answers a question',
  'PUT /notifications/read-all':
    "a person's own list; what it told of is recorded, and reading it changes nothing else",
  'PUT /notifications/:id/read': 'as above',
  'POST /notifications/:id/archive': 'as above',
  'DELETE /notifications/:id': 'as above',
}

let world: PeopledWorld
before(async () => {
  world = await createPeopledWorld()
})
after(() => world?.test.close())

const changing = createRegistry([kernelModule, ...builtinModules]).routes.filter(({ method }) => method !== 'GET')

describe('a route that changes something records it', () => {
  for (const route of changing) {
    const name = routeName(route)
    test(name, async () => {
      const { sent } = await prepare(world, route)
      const before = await countRecords()
      const answer = await send(world, route, sent)
      assert.ok(answer.status < 300, answer.text)
      const recorded = (await countRecords()) - before
      if (name in SILENT) assert.equal(recorded, 0, `${name} is said to record nothing, but does`)
      else assert.ok(recorded > 0, `${name} answered ${answer.status} and recorded nothing`)
    })
  }
})

/** Records of every tenant and of none; the jobs of this core rest, so that all are of the request. */
async function countRecords(): Promise<number> {
  const [row] = await world.test.core.db.systemQuery<{ count: number }>(
    'select (select count(*) from audit_logs) + (select count(*) from global_audit_logs) as count',
  )
  return Number(row?.count)
}
