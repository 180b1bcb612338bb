import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { AppError } from '../errors.ts'
import { defineRoute } from '../module.ts'
import { createHandler } from './handle.ts'

for (const access of ['self', 'superAdmin', { operator: ['support'] }, { permission: 'thing.view' }] as const)
  test(`a request that nobody was identified for is refused where access is ${JSON.stringify(access)}`, async () => {
    let ran = false
    const spec = { method: 'GET', path: '/things', summary: 'Look', access, response: { 200: null } } as const // words
    const route = defineRoute({
      ...spec,
      transaction: 'manual',
      handler: () => {
        ran = true
        return undefined
      },
    })
    const core = { registry: {} } as Core // must not get as far as using it
    const handle = createHandler(
      core,
      { ...route, module: 'things', url: '/api/v1/things' },
      { countAccount: undefined, holdDownload: undefined },
    )
    const request = { identity: null, params: {}, query: {}, headers: {} }
    await assert.rejects(
      handle(request as unknown as FastifyRequest, {} as FastifyReply), // as much of them as is looked at
      (error) => error instanceof AppError && error.code === 'unauthenticated',
    )
    assert.equal(ran, false)
  })
