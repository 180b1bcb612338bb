// The floor: bare Fastify and pg, the same SQL, with no sign-in, no row-level security, no validation.
import { randomUUID } from 'node:crypto'
import { verify } from '@node-rs/argon2'
import fastify from 'fastify'
import pg from 'pg'
import { serve } from './child.ts'

const pool = new pg.Pool({ connectionString: process.env.BENCH_FLOOR_URL, max: 10 })
const app = fastify()

interface Params {
  tenant: string
  id: string
}

app.get('/stores/:tenant', async (request) => {
  const { tenant } = request.params as Params // the route names it
  const { rows } = await pool.query({
    name: 'list',
    text: 'select * from stores where tenant_id = $1 order by id desc limit 21',
    values: [tenant],
  })
  return { data: rows.slice(0, 20), next_cursor: null }
})

app.get('/stores/:tenant/:id', async (request) => {
  const { tenant, id } = request.params as Params // the route names them
  const text = 'select * from stores where tenant_id = $1 and id = $2'
  const { rows } = await pool.query({ name: 'get', text, values: [tenant, id] })
  return rows[0]
})

app.get('/users/:id', async (request) => {
  const { id } = request.params as Params // the route names it
  const text = 'select u.*, l.last_login_at from users u left join user_logins l on l.user_id = u.id where u.id = $1'
  const { rows } = await pool.query({ name: 'me', text, values: [id] })
  return rows[0]
})

app.post('/stores/:tenant', async (request, reply) => {
  const { tenant } = request.params as Params // the route names it
  const { name } = request.body as { name: string } // the bench sends it
  const id = randomUUID()
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query({
      name: 'create',
      text: `insert into stores (tenant_id, id, name, code, status, is_default, created_at, updated_at)
        values ($1, $2, $3, $4, 'active', false, now(), now()) returning *`,
      values: [tenant, id, name, id.slice(0, 18).toUpperCase()],
    })
    await client.query({
      name: 'audit',
      text: `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, resource_id, new_values)
        values ($1, $2, now(), 'store.created', 'user', 'bench', 'store', $3, $4)`,
      values: [tenant, id, id, JSON.stringify(rows[0])],
    })
    await client.query('commit')
    reply.code(201)
    return rows[0]
  } finally {
    client.release()
  }
})

app.post('/login', async (request) => {
  const { password, hash } = request.body as { password: string; hash: string } // the bench sends them
  return { ok: await verify(hash, password) }
})

await serve(app)
