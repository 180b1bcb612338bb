import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Closed, defineModule, defineRoute, newId, Type, Uuid } from '#kernel'
import { type Founding, IsolationError, runIsolationKit } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const { token, tenant } = builtinAuthForTests
const founding: Founding = {
  found: async (_test, marker) => {
    const name = marker.slice(0, 6)
    return { tenantId: tenant(name), owner: token(name), email: '', password: '', signIn: async () => token(name) }
  },
  credentials: async (_test, { owner }) => ({ owner }),
}

/** What the kit says of a route that takes these fields, and of one beneath it. */
async function errorOf(fields: { code?: ReturnType<typeof Type.String> }, glue: () => { id: string }) {
  const label = defineRoute({
    method: 'POST',
    path: '/labels',
    summary: 'Label a toy',
    access: { permission: 'toy.view' },
    body: Closed({ toy_id: Uuid, ...fields }),
    response: { 201: Closed({ id: Uuid }) },
    handler: () => glue(),
  })
  const read = defineRoute({
    method: 'GET',
    path: '/labels/:id',
    summary: 'Read a label',
    access: { permission: 'toy.view' },
    response: { 204: null },
    handler: () => undefined,
  })
  const labels = defineModule({ name: 'labels', dependsOn: [toy], routes: [label, read] })
  const error = await runIsolationKit({ modules: [toy, labels], founding }).then(
    () => assert.fail('the kit found nothing'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof IsolationError)) throw error
  return error
}

describe('a finding of the isolation kit', () => {
  it('has the error that the core logged beneath a 500, and nothing about cases', async () => {
    const { findings } = await errorOf({}, () => {
      throw new TypeError('no glue\nis left')
    })
    assert.equal(findings.length, 1)
    assert.match(
      findings[0] ?? '',
      /^GET \/labels\/:id: POST \/labels made no object of \/labels: 500\n {6}TypeError: no glue is left \(at .*isolation-findings\.test\.ts:\d+:\d+\)$/,
    )
  })

  it('tells one cause once, in the error as it is printed too', async () => {
    const error = await errorOf({ code: Type.String({ pattern: '^#[0-9]{7}$' }) }, () => ({ id: newId() }))
    assert.equal(error.findings.length, 1)
    assert.match(error.findings[0] ?? '', /^GET \/labels\/:id: POST \/labels made no object of \/labels: 400 /)
    assert.equal(inspect(error).split('made no object').length, 2)
  })
})
