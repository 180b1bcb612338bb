import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { foreignHashes } from '../src/modules/auth/passwords/foreign-hashes.fixture.ts'
import { everything, ndjson, openImportPlace } from './people-import.fixture.ts'
import { startCli, until } from './run-cli.ts'

type Place = Awaited<ReturnType<typeof openImportPlace>>
let [place, whole] = [] as unknown as [Place, Place] // opened before the test
before(async () => {
  ;[place, whole] = await Promise.all([openImportPlace(), openImportPlace()])
})
after(async () => {
  await place?.close()
  await whole?.close()
})

const PEOPLE = 2_000

/** The same file for two databases: people with and without passwords, in none, one or two of two tenants. */
function peopleOf([one = '', other = '']: readonly string[]) {
  return Array.from({ length: PEOPLE }, (_, index) => ({
    // Some stand there twice.
    email: `person-${index % 97 === 5 ? index - 3 : index}@example.com`,
    name: `Person ${index % 97 === 5 ? index - 3 : index}`,
    password_hash: foreignHashes[index % foreignHashes.length]?.[2],
    memberships: [
      ...(index % 3 === 0 ? [] : [{ tenant: one, role: 'staff' }]),
      ...(index % 4 === 0 ? [{ tenant: other }] : []),
    ],
  }))
}

/** Two tenants, called alike everywhere. */
async function openTenants({ t }: Place) {
  const tenants = await Promise.all(['one', 'other'].map(() => t.foundTenant({ plan: 'business' })))
  const ids = tenants.map(({ id }) => id)
  for (const [index, id] of ids.entries()) {
    await t.core.db.systemQuery('update tenant_slugs set slug = $1 where tenant_id = $2', [`place-${index}`, id])
    await t.core.db.systemQuery('update tenants set slug = $1, name = $1 where id = $2', [`place-${index}`, id])
  }
  return ids
}

/** What imports have written: not what founding the tenants has. */
async function written({ t }: Place) {
  const { people, members, records } = await everything(t)
  const isImported = ({ email }: Record<string, unknown>) => String(email).startsWith('person-')
  const isOf = ({ action }: Record<string, unknown>) =>
    ['auth.imported', 'user.created', 'role.assigned'].includes(String(action))
  return { people: people.filter(isImported), members: members.filter(isImported), records: records.filter(isOf) }
}

async function imported({ t }: Place): Promise<number> {
  const [row] = await t.core.db.systemQuery<{ count: number }>(
    "select count(*)::int from users where email like 'person-%'",
  )
  return row?.count ?? 0
}

test('an import that is killed at any moment, again and again, ends as one that never was', async () => {
  const options = '--tenant place-1 --role viewer'
  const file = await place.write(ndjson(peopleOf(await openTenants(place))))
  for (let kill = 0; kill < 4; kill++) {
    const so = await imported(place)
    const child = startCli(`people import ${file} ${options}`, { env: place.env })
    await until('more people', child.said, async () => (await imported(place)) > so + kill * 37 || undefined)
    assert.equal((await child.stop('SIGKILL')).code, null, child.said())
  }
  const so = await imported(place)
  const stopped = startCli(`people import ${file} ${options}`, { env: place.env })
  await until('more people', stopped.said, async () => (await imported(place)) > so || undefined)
  const { code, out } = await stopped.stop('SIGINT')
  assert.equal(code, 1, out)
  assert.match(out, /Interrupted\. Nothing is lost: run it again to go on\.$/m)
  const before = await imported(place)
  assert.ok(before < PEOPLE - 100, `${before} are few enough that there is something left`)

  const last = await place.run(`${file} ${options}`)
  assert.equal(last.code, 0, last.out)
  assert.equal((await whole.run(`${await whole.write(ndjson(peopleOf(await openTenants(whole))))} ${options}`)).code, 0)
  assert.deepEqual(await written(place), await written(whole))
  const after = await written(place)
  assert.match((await place.run(`${file} ${options}`)).out, /^Added 0 people, .*\nAdded 0 memberships\.\n$/)
  assert.deepEqual(await written(place), after, 'once more changes nothing')
})
