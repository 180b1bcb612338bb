import { randomBytes } from 'node:crypto'
import type { Module } from '#kernel'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { builtinModules } from '../src/modules/index.ts'
import { proveAddress, type TestCore } from '../src/testing/index.ts'
import { hasEnd, listOperations } from '../src/testing/operations.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

/** Somebody who owns a tenant, all of whose texts carry a mark that nobody else may ever be shown. */
export interface Owner {
  token: string
  marker: string
  /** Ids that stand in answers to this person. */
  ids: string[]
}

/** An application to send requests to, and how people come into it. */
export interface Application {
  modules: readonly Module[]
  signUp(test: TestCore, marker: string): Promise<string>
}

/** No built-in module; a token is whatever one says. */
export const toyApplication: Application = {
  modules: [toy],
  signUp: async (_test, marker) => builtinAuthForTests.token(marker.slice(-6)),
}

/** The built-in modules; people register as on any installation. */
export const builtinApplication: Application = {
  modules: builtinModules,
  async signUp(test, marker) {
    const email = `${marker.toLowerCase()}@example.com`
    const body = { email, password: 'a quiet walk along the river', name: marker, tenant_name: marker }
    const answer = await test.request('POST', '/api/v1/auth/register', { body })
    if (answer.status !== 201) throw new Error(`register: ${answer.text}`)
    await proveAddress(test, answer.body.user.id)
    return answer.body.access_token
  },
}

/** Founds a tenant with one of whatever the API lets its owner make at once. */
export async function createOwner(test: TestCore, { signUp }: Application): Promise<Owner> {
  const marker = `Mark${randomBytes(6).toString('hex')}`
  const token = await signUp(test, marker)
  const operations = listOperations(openapiDocument(test.core)).filter(
    (each) => !each.path.includes('{') && hasEnd(each),
  )
  for (const { method, path, operation } of operations) {
    const example = operation.requestBody?.content['application/json']?.example
    if (method === 'POST' && example !== undefined && operation['x-permission']?.includes('.'))
      await test.request('POST', path, { token, body: marked(example, marker) })
  }
  const ids = new Set<string>()
  for (const { method, path, operation } of operations) {
    if (method !== 'GET' || operation['x-permission'] === 'public') continue
    const { text } = await test.request('GET', path, { token })
    for (const [id] of text.matchAll(UUID)) ids.add(id)
  }
  return { token, marker, ids: [...ids].slice(0, MOST_IDS) }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const MOST_IDS = 50

/** A sample body, its names and addresses the owner's own, its references to what does not exist left out. */
function marked(value: unknown, marker: string, name = ''): unknown {
  if (Array.isArray(value)) return name === 'roles' ? [] : value.map((item) => marked(item, marker))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item, marker, key)]))
  if (typeof value !== 'string') return value
  if (name === 'email') return `${marker.toLowerCase()}.${randomBytes(3).toString('hex')}@example.com`
  return /name|description|title|label/.test(name) ? `${marker} ${randomBytes(3).toString('hex')}` : value
}
