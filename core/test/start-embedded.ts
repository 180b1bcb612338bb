// Runs the embedded PostgreSQL of the folder given until it is told to stop: a process for tests to kill.
import pg from 'pg'
import { startEmbedded } from '../src/kernel/db/embedded.ts'

const [dataDir = ''] = process.argv.slice(2)
const embedded = await startEmbedded({ dataDir })

process.once('SIGINT', async () => {
  const client = new pg.Client({ connectionString: embedded.appUrl })
  await client.connect()
  await client.query('select 1')
  await client.end()
  await embedded.stop()
  process.stdout.write('drained\n')
})
// Keeps the process alive; the embedded database alone does not.
const keepAlive = setInterval(() => {}, 60_000)
process.once('SIGINT', () => clearInterval(keepAlive))
process.stdout.write(`${JSON.stringify(embedded)}\n`)
