// The second floor: what one writes by hand who needs the same protection. Fastify and pg; each request checks a token,
// reads the person and what they may do, and works under row-level security in one transaction. No caches, no limits,
// no idempotency; its own plain table of records.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { verify } from '@node-rs/argon2'
import { createSigner, createVerifier } from 'fast-jwt'
import fastify, { type FastifyRequest } from 'fastify'
import pg from 'pg'
import { serve } from './child.ts'

const key = process.env.BENCH_KEY ?? ''
const checkToken = createVerifier({ key })
const signToken = createSigner({ key, expiresIn: 86_400_000 })
const pool = new pg.Pool({
  connectionString: process.env.BENCH_PROTECTED_URL,
  max: 10,
  application_name: 'bench_protected',
})
const app = fastify()

interface Claims {
  sub: string
  tid: string
}

class Refused extends Error {
  statusCode: number

  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

const text = { type: 'string' } as const // as JSON Schema writes it
const maybe = { type: ['string', 'null'] } as const // as above
const Store = {
  type: 'object',
  properties: {
    tenant_id: text,
    id: text,
    name: text,
    code: text,
    status: text,
    address: { type: ['object', 'null'], additionalProperties: true },
    phone: maybe,
    email: maybe,
    timezone: maybe,
    is_default: { type: 'boolean' },
    created_at: text,
    updated_at: text,
  },
}
const Person = {
  type: 'object',
  properties: {
    id: text,
    email: text,
    name: text,
    phone: maybe,
    avatar_url: maybe,
    locale: text,
    timezone: text,
    status: text,
    last_login_at: maybe,
    created_at: text,
    updated_at: text,
  },
}
const Member = {
  type: 'object',
  properties: {
    ...Person.properties,
    tenant_id: text,
    job_title: maybe,
    joined_at: maybe,
    roles: {
      type: 'array',
      items: { type: 'object', properties: { role_id: text, name: text, store_id: maybe } },
    },
  },
}
const list = (items: object) => ({
  200: { type: 'object', properties: { data: { type: 'array', items }, next_cursor: maybe } },
})

function claimsOf({ headers }: FastifyRequest): Claims {
  try {
    return checkToken((headers.authorization ?? '').slice('Bearer '.length)) as Claims // signed below, or it throws
  } catch {
    throw new Refused(401, 'unauthenticated')
  }
}

/** Runs `work` as the tenant of the token, for a person who is active and holds the permission there. */
async function protect<T>(
  request: FastifyRequest,
  permission: string | null,
  work: (client: pg.PoolClient, claims: Claims) => Promise<T>,
): Promise<T> {
  const claims = claimsOf(request)
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({
      name: 'tenant',
      text: "select set_config('app.tenant_id', $1, true)",
      values: [claims.tid],
    })
    const { rows } = await client.query({
      name: 'person',
      text: `select m.status, exists (
          select 1 from role_assignments a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
          where a.tenant_id = m.tenant_id and a.user_id = m.id and (r.key = 'owner' or $3::text = any(r.permissions))) as allowed
        from members m where m.tenant_id = $1 and m.id = $2`,
      values: [claims.tid, claims.sub, permission],
    })
    if (rows[0]?.status !== 'active') throw new Refused(401, 'unauthenticated')
    if (permission !== null && !rows[0].allowed) throw new Refused(403, 'permission_denied')
    const result = await work(client, claims)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

app.get('/stores', { schema: { response: list(Store) } }, (request) =>
  protect(request, 'store.view', async (client, { tid }) => {
    const { rows } = await client.query({
      name: 'list',
      text: 'select * from stores where tenant_id = $1 order by id desc limit 21',
      values: [tid],
    })
    return { data: rows.slice(0, 20), next_cursor: rows.length > 20 ? rows[19].id : null }
  }),
)

app.get('/stores/:id', { schema: { response: { 200: Store } } }, (request) =>
  protect(request, 'store.view', async (client, { tid }) => {
    const { id } = request.params as { id: string } // the route names it
    const { rows } = await client.query({
      name: 'get',
      text: 'select * from stores where tenant_id = $1 and id = $2',
      values: [tid, id],
    })
    if (!rows[0]) throw new Refused(404, 'not_found')
    return rows[0]
  }),
)

app.get('/me', { schema: { response: { 200: Person } } }, (request) =>
  protect(request, null, async (client, { sub }) => {
    const { rows } = await client.query({
      name: 'me',
      text: 'select u.*, l.last_login_at from users u left join user_logins l on l.user_id = u.id where u.id = $1',
      values: [sub],
    })
    return rows[0]
  }),
)

app.get('/users', { schema: { response: list(Member) } }, (request) =>
  protect(request, 'user.view', async (client, { tid }) => {
    const { rows } = await client.query({
      name: 'members',
      text: `select m.*, u.email, u.avatar_url, l.last_login_at
        from members m join users u on u.id = m.id left join user_logins l on l.user_id = m.id
        where m.tenant_id = $1 order by m.created_at desc, m.id desc limit 21`,
      values: [tid],
    })
    const page = rows.slice(0, 20)
    const held = await client.query({
      name: 'roles',
      text: `select a.user_id, a.role_id, r.name, a.store_id
        from role_assignments a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
        where a.tenant_id = $1 and a.user_id = any($2)`,
      values: [tid, page.map(({ id }) => id)],
    })
    const data = page.map((row) => ({ ...row, roles: held.rows.filter(({ user_id }) => user_id === row.id) }))
    return { data, next_cursor: rows.length > 20 ? page[19].id : null }
  }),
)

const NewStore = {
  type: 'object',
  required: ['name', 'code'],
  additionalProperties: false,
  properties: { name: { type: 'string', maxLength: 100 }, code: { type: 'string', maxLength: 20 } },
}

app.post('/stores', { schema: { body: NewStore, response: { 201: Store } } }, async (request, reply) => {
  const made = await protect(request, 'store.create', async (client, { tid, sub }) => {
    const { name, code } = request.body as { name: string; code: string } // checked by the schema
    const { rows } = await client.query({
      name: 'create',
      text: `insert into stores (tenant_id, id, name, code, status, is_default, created_at, updated_at)
        values ($1, $2, $3, $4, 'active', false, now(), now()) returning *`,
      values: [tid, randomUUID(), name, code],
    })
    await client.query({
      name: 'record',
      text: `insert into bench.records (tenant_id, id, created_at, action, actor_id, resource_id, data)
        values ($1, $2, now(), 'store.created', $3, $4, $5)`,
      values: [tid, randomUUID(), sub, rows[0].id, JSON.stringify(rows[0])],
    })
    return rows[0]
  })
  return reply.code(201).send(made)
})

const Login = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string', maxLength: 320 }, password: { type: 'string', maxLength: 256 } },
}

app.post('/login', { schema: { body: Login } }, async (request) => {
  const { email, password } = request.body as { email: string; password: string } // checked by the schema
  const { rows } = await pool.query({
    name: 'account',
    text: `select u.*, p.hash, l.last_tenant_id from users u join user_passwords p on p.user_id = u.id
      left join user_logins l on l.user_id = u.id where u.email_normalized = $1`,
    values: [email.toLowerCase()],
  })
  const user = rows[0]
  if (user?.status !== 'active' || !(await verify(user.hash, password))) throw new Refused(401, 'invalid_credentials')
  const refreshToken = randomBytes(32).toString('base64url')
  const sid = randomUUID()
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({
      name: 'session',
      text: `insert into bench.sessions (id, user_id, token_hash, created_at, expires_at, ip_address, user_agent)
        values ($1, $2, $3, now(), now() + interval '30 days', $4, $5)`,
      values: [
        sid,
        user.id,
        createHash('sha256').update(refreshToken).digest(),
        request.ip,
        request.headers['user-agent'],
      ],
    })
    await client.query({
      name: 'last_login',
      text: 'update user_logins set last_login_at = now() where user_id = $1',
      values: [user.id],
    })
    await client.query('commit')
  } finally {
    client.release()
  }
  const { hash: _, ...shown } = user
  return {
    user: shown,
    access_token: signToken({ sub: user.id, sid, tid: user.last_tenant_id }),
    refresh_token: refreshToken,
    token_type: 'Bearer',
  }
})

await serve(app)
