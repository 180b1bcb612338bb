import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { generateClients } from '../clients/generate.ts'
import { renderDocument } from './openapi.ts'

const ROOT = new URL('..', import.meta.url).pathname

/** What an application does with the client: every code of an error is answered, and no other is known. */
const HEY_API = `
import { createStore, getStore, login } from './hey-api/index.js'
import type { CreateStoreErrors } from './hey-api/index.js'

export function explain(error: CreateStoreErrors[409]): string {
  switch (error.code) {
    case 'name_taken': return 'taken'
    case 'conflict': return error.detail
    case 'idempotency_key_in_use': return 'twice'
    default: return error.code satisfies never
  }
}

export async function open(name: string): Promise<string> {
  const { data, error } = await createStore({ body: { name } })
  if (data) return data.id
  // @ts-expect-error: no operation answers with this code
  if (error.code === 'no_such_code') return ''
  return error.code === 'plan_limit_reached' ? error.title : error.detail
}

export async function look(id: string): Promise<string> {
  const { data } = await getStore({ path: { id } })
  // @ts-expect-error: a store has no such field
  return data?.name ?? data?.nome ?? ''
}

export async function enter(): Promise<string> {
  const { data } = await login({ body: { email: 'a@example.com', password: 'x' } })
  if (!data) return ''
  return data.two_factor_required ? data.challenge_token : data.access_token
}
`

const PATHS = `
import type { operations, paths } from './paths.js'

type Conflict = operations['createStore']['responses'][409]['content']['application/problem+json']
type Answer = paths['/api/v1/auth/login']['post']['responses'][200]['content']['application/json']

export function explain({ code }: Conflict): number {
  switch (code) {
    case 'name_taken': return 1
    case 'conflict': return 2
    case 'idempotency_key_in_use': return 3
    default: return code satisfies never
  }
}

// @ts-expect-error: no operation answers with this code
export const wrong: Conflict['code'] = 'no_such_code'

export const enter = (answer: Answer): string =>
  answer.two_factor_required ? answer.challenge_token : answer.access_token
`

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: [],
  },
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-clients-'))
  await generateClients(renderDocument(), folder)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(join(folder, 'with-hey-api.ts'), HEY_API)
  await writeFile(join(folder, 'with-paths.ts'), PATHS)
})
after(() => rm(folder, { recursive: true, force: true }))

test('clients made of the API document typecheck, know every code of an error and no other', async () => {
  assert.equal(await findTypeErrors(), '')
})

/** What the compiler says of the folder; nothing when all is well. */
async function findTypeErrors(): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  return promisify(execFile)(process.execPath, [tsc, '--singleThreaded', '-p', folder]).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? String(error),
  )
}
