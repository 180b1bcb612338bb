import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, type Id, isUuid, newId, notFound } from '#kernel'

/** A mail kept on disk instead of being sent. */
export interface StoredMail {
  id: Id
  /** ISO 8601 UTC. */
  created_at: string
  from: string
  to: string
  subject: string
  text: string
  html: string
}

/** Number of mails kept; the oldest are removed when one arrives. */
export const MAILBOX_SIZE = 500

/** Writes a mail into the mailbox, atomically. */
export async function storeMail(dataDir: string, mail: Omit<StoredMail, 'id' | 'created_at'>): Promise<StoredMail> {
  const folder = folderOf(dataDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const stored: StoredMail = { id: newId(), created_at: new Date().toISOString(), ...mail }
  const path = join(folder, `${stored.id}.json`)
  // Its links give access to accounts, so no other user of the machine may read it.
  await writeFile(`${path}.draft`, JSON.stringify(stored, null, 2), { flag: 'wx', mode: 0o600 })
  await rename(`${path}.draft`, path)
  const ids = await listIds(folder)
  await Promise.all(ids.slice(MAILBOX_SIZE).map((id) => rm(join(folder, `${id}.json`), { force: true })))
  return stored
}

/** The mails of the mailbox, newest first; empty when there is none. */
export async function listMailbox(dataDir: string): Promise<StoredMail[]> {
  const mails = await Promise.all((await listIds(folderOf(dataDir))).map((id) => findMail(dataDir, id)))
  // A mail may have been removed since the folder was listed.
  return mails.filter((mail) => mail !== undefined)
}

/** One mail. @throws notFound when there is none of that id, or when the id is none */
export async function getMail(dataDir: string, id: string): Promise<StoredMail> {
  const mail = await findMail(dataDir, id)
  if (!mail) throw notFound()
  return mail
}

async function findMail(dataDir: string, id: string): Promise<StoredMail | undefined> {
  // The id becomes part of a path, so it must be a UUID.
  if (!isUuid(id)) return undefined
  try {
    // Only `storeMail` writes here.
    return JSON.parse(await readFile(join(folderOf(dataDir), `${id.toLowerCase()}.json`), 'utf8')) as StoredMail
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Ids in descending order: they are UUIDv7, so the newest comes first. */
async function listIds(folder: string): Promise<Id[]> {
  try {
    const names = await readdir(folder)
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
    return ids.filter(isUuid).sort().reverse()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

function folderOf(dataDir: string): string {
  return join(dataDir, 'mailbox')
}
