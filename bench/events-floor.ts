// The floor of the events' bench: bare Fastify and pg, the same select, and nothing else.
import fastify from 'fastify'
import pg from 'pg'
import { serve } from './child.ts'

const pool = new pg.Pool({ connectionString: process.env.EVENTS_URL, max: 10 })
const SELECT = `select id, position, type, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id, data from core.events
  where tenant_id = $1 and position > $2 and position <= $3 order by position limit $4`

const app = fastify()
app.get('/events', async (request) => {
  const { tenant, after, limit } = request.query as Record<'tenant' | 'after' | 'limit', string> // as the bench sends it
  const values = [tenant, after, Number(after) + 2_000, limit]
  const { rows } = await pool.query({ name: 'events', text: SELECT, values })
  return {
    data: rows.map((row) => ({
      id: row.id,
      type: row.type,
      timestamp: row.created_at,
      tenant_id: tenant,
      store_id: row.store_id,
      actor: { type: row.actor_type, id: row.actor_id, label: row.actor_label, impersonator_id: row.impersonator_id },
      data: row.data,
    })),
    next_cursor: String(rows.at(-1)?.position ?? after),
  }
})
process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
  // Its parent still holds a channel to it.
  process.exit(0)
})
await serve(app)
