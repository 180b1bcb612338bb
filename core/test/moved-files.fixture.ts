import { type Backend, HOURS } from '#kernel'
import { type S3Server, startS3Server } from '../src/kernel/storage/s3-server.fixture.ts'
import { bothStorages, keysOf, upload } from '../src/modules/files/upkeep/upkeep.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../src/testing/index.ts'
import { cleanUp } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

/** A core with both storages, new files on the disk, and what a process beside it has to be told. */
export interface Place {
  server: S3Server
  t: TestCore
  env: Record<string, string>
  close(): Promise<void>
}

export async function openPlace(): Promise<Place> {
  const server = await startS3Server()
  const t = await createTestCore({ env: bothStorages(server, 'local') })
  const { appUrl, systemUrl, ownerUrl } = t.database
  const env = {
    ...bothStorages(server, 'local'),
    ...{ DATABASE_URL: appUrl, DATABASE_SYSTEM_URL: systemUrl, DATABASE_OWNER_URL: ownerUrl },
    ...{ DATA_DIR: t.dataDir, NODE_ENV: 'test', LOG_LEVEL: 'silent' },
    APP_SECRET: 'a-secret-of-this-test-alone-0123456789',
  }
  const close = async () => {
    await cleanUp()
    await t.close()
    await server.close()
  }
  return { server, t, env, close }
}

/** A tenant of it, and what is done with its files. */
export async function openTenant({ t, env }: Place) {
  const { id, owner } = await t.foundTenant({ plan: 'business' })
  const run = (command: string, more: Record<string, string> = {}) =>
    runInProcess(command, { env: { ...env, ...more } })
  return {
    id,
    owner,
    run,
    storage: (backend: Backend) => t.core.storages.of(backend),
    move: (to: string) => run(`files move --tenant ${id} --to ${to}`),
    files: (backend: Backend) => keysOf(t, backend, `files/${id}`),
    download: async (file: string) => (await owner.get(`/files/${file}/download`)).text,
    backendOf: async (file: string) => (await owner.get(`/files/${file}`)).body.storage_backend,
    uploadMany: (count: number, length?: number) => uploadMany(owner, count, length),
    /** When old copies go. */
    hourLater: async () => {
      t.clock.advance(1.1 * HOURS)
      await t.drainJobs(id)
    },
  }
}

async function uploadMany(owner: TestPerson, count: number, length = 20) {
  const made: { id: string; content: string }[] = []
  for (let i = 0; i < count; i++) {
    const content = `${i}`.padEnd(length, `${i}.`)
    made.push({ id: (await upload(owner, content)).id, content })
  }
  return made
}
