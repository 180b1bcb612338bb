import { randomUUID } from 'node:crypto'
import pg from 'pg'

export const TENANTS = 1_000
export const STORES_PER_TENANT = 50
export const PEOPLE_PER_TENANT = 5
/** Tenants of each kind that the load speaks for: each signs in once. */
export const SPEAKERS = 20
/** What a limit allows that is counted each time and never reached. */
const LIMIT = 1_000_000

/** Somebody who is signed in, and what they may ask for. */
export interface Speaker {
  tenantId: string
  userId: string
  token: string
  /** An API key that may see stores. */
  apiKey: string
  email: string
  storeIds: string[]
}

/** Those whose plan allows any number of stores, and those whose plan has a limit. */
export interface Speakers {
  unlimited: Speaker[]
  limited: Speaker[]
}

export const PASSWORD = 'a bench needs a long passphrase'

/**
 * Fills the database: the speakers through the front door, everybody else by SQL in bulk, so that tables have their
 * real size and every tenant its real shape.
 */
export async function seed(base: string, ownerUrl: string): Promise<Speakers> {
  const speakers: Speaker[] = []
  for (let i = 0; i < 2 * SPEAKERS; i++) speakers.push(await register(base, i))
  const [unlimited, limited] = [speakers.slice(0, SPEAKERS), speakers.slice(SPEAKERS)]
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await fillTenants(owner)
    await fillStores(owner)
    await fillPeople(owner)
    await choosePlans(owner, limited)
    await owner.query('vacuum analyze')
    for (const speaker of speakers) {
      const { rows } = await owner.query<{ id: string }>('select id from stores where tenant_id = $1', [
        speaker.tenantId,
      ])
      speaker.storeIds = rows.map(({ id }) => id)
    }
  } finally {
    await owner.end()
  }
  return { unlimited, limited }
}

/** Everybody may have any number of stores but those who are limited. */
async function choosePlans(owner: pg.Client, limited: Speaker[]): Promise<void> {
  const tenantIds = limited.map(({ tenantId }) => tenantId)
  await owner.query(
    `insert into plans (id, code, name, description, price_cents, currency, interval, trial_days, limits, is_public, is_active, created_at, updated_at)
     select gen_random_uuid(), 'limited', 'Limited', '', 1, currency, interval, trial_days, jsonb_build_object('stores', $1::int), false, true, now(), now()
     from plans where code = 'business'`,
    [LIMIT],
  )
  await owner.query(
    `update subscriptions s set plan_id = p.id from plans p
     where p.code = case when s.tenant_id = any($1::uuid[]) then 'limited' else 'business' end`,
    [tenantIds],
  )
}

/** Deletes the stores that load has made. */
export async function removeStores(ownerUrl: string, speakers: Speaker[]): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    const tenantIds = speakers.map(({ tenantId }) => tenantId)
    await owner.query("delete from core.stores where tenant_id = any($1::uuid[]) and name like 'Core %'", [tenantIds])
    await owner.query('vacuum analyze core.stores')
  } finally {
    await owner.end()
  }
}

async function register(base: string, index: number): Promise<Speaker> {
  const email = `speaker-${index}-${randomUUID().slice(0, 8)}@bench.example`
  const response = await fetch(`${base}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD, name: `Speaker ${index}`, tenant_name: `Bench ${index}` }),
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`register answered ${response.status}: ${text}`)
  const { tenant, user, access_token } = JSON.parse(text) as {
    tenant: { id: string }
    user: { id: string }
    access_token: string
  } // api.md
  const apiKey = await makeKey(base, access_token)
  return { tenantId: tenant.id, userId: user.id, token: access_token, apiKey, email, storeIds: [] }
}

async function makeKey(base: string, token: string): Promise<string> {
  const response = await fetch(`${base}/api/v1/api-keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: 'Bench', scopes: ['store.view'] }),
  })
  if (response.status !== 201) throw new Error(`POST /api-keys answered ${response.status}`)
  return ((await response.json()) as { key: string }).key // api.md
}

/** Copies the first tenant under new ids until there are enough. */
async function fillTenants(owner: pg.Client): Promise<void> {
  await owner.query(
    `insert into tenants (id, name, slug, status, owner_id, settings, branding, created_at, updated_at)
     select gen_random_uuid(), 'Filler ' || n, 'filler-' || n, 'active', t.owner_id, t.settings, t.branding, now(), now()
     from generate_series(1, $1::int) n, (select * from tenants order by id limit 1) t`,
    [TENANTS - 2 * SPEAKERS],
  )
}

async function fillStores(owner: pg.Client): Promise<void> {
  await owner.query(
    `insert into stores (tenant_id, id, name, code, status, is_default, created_at, updated_at)
     select t.id, tenantry.uuid_at(now() - (n || ' minutes')::interval + (random() * 1000 || ' milliseconds')::interval), 'Store ' || n, 'S' || n, 'active', false, now(), now()
     from tenants t, generate_series(2, $1::int) n
     on conflict do nothing`,
    [STORES_PER_TENANT],
  )
}

async function fillPeople(owner: pg.Client): Promise<void> {
  await owner.query(
    `with people as (
       insert into users (id, email, email_normalized, name, locale, timezone, two_factor_enabled, is_super_admin, status, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@fill.example', 'p' || n || '@fill.example', 'Person ' || n, 'en', 'UTC', false, false, 'active', now(), now()
       from generate_series(1, $1::int) n returning id),
     numbered as (select id, row_number() over () as number from people)
     insert into members (tenant_id, id, name, status, joined_at, created_at, updated_at)
     select t.id, p.id, 'Person', 'active', now(), now(), now()
     from (select id, row_number() over () as number from tenants) t
     join numbered p on p.number % $2 = t.number % $2
     on conflict do nothing`,
    [TENANTS * (PEOPLE_PER_TENANT - 1), TENANTS],
  )
}
