// The floor of the files' bench: bare Fastify, a stream to disk and back, and nothing else.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import fastify from 'fastify'
import { serve } from './child.ts'

const folder = await mkdtemp(join(process.env.FILES_FOLDER ?? tmpdir(), 'tenantry-floor-'))
const path = join(folder, 'file')
const app = fastify({ bodyLimit: Number.MAX_SAFE_INTEGER })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', (_request, _payload, done) => done(null))
app.put('/upload', async (request, reply) => {
  await pipeline(request.raw, createWriteStream(path))
  return reply.code(204).send()
})
app.get('/download', async (_request, reply) => {
  const { size } = await stat(path)
  return reply.header('content-length', size).type('text/plain').send(createReadStream(path))
})
process.once('SIGTERM', async () => {
  await app.close()
  await rm(folder, { recursive: true, force: true })
  // Its parent still holds a channel to it.
  process.exit(0)
})
await serve(app)
