import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  Closed,
  defineError,
  defineModule,
  defineRoute,
  type ErrorKind,
  methodNotAllowed,
  notFound,
  Type,
} from '#kernel'
import type { Core } from '../kernel/core.ts'
import { problemDocument } from '../kernel/http/problem.ts'
import { createRegistry } from '../kernel/registry.ts'
import { AnswerMismatch, createAnswerCheck } from './answers.ts'
import type { Answered } from './request.ts'

const full = defineError('full', 409, 'No room is left')
const shared = { access: 'public', transaction: 'manual', handler: () => ({ id: 1 }) } as const // words, as a route wants them
const room = defineModule({
  name: 'room',
  routes: [
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/rooms/best',
      summary: 'The best',
      response: { 200: Closed({ id: Type.Integer() }) },
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/rooms/:id',
      summary: 'Any',
      response: { 200: Closed({ id: Type.Integer() }) },
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/rooms',
      summary: 'Build',
      response: { 201: Closed({ id: Type.Integer() }) },
      errors: [full],
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/page',
      summary: 'Read',
      hidden: true,
      response: { 200: Closed({ id: Type.Integer() }) },
    }),
  ],
})
// The check looks at nothing but the registry.
const check = createAnswerCheck({ registry: createRegistry([room]) } as Core)

const standing = {
  'x-request-id': 'r',
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}
const answer = (status: number, body: unknown, headers: Answered['headers'] = {}): Answered => ({
  status,
  body: body ?? '',
  text: body === undefined ? '' : JSON.stringify(body),
  bytes: Buffer.alloc(0),
  headers: { ...standing, ...headers },
})
const problem = (kind: ErrorKind, more: object = {}) =>
  answer(
    kind.status,
    { ...problemDocument(kind(), 'r'), ...more },
    { 'content-type': 'application/problem+json; charset=utf-8' },
  )

describe('the check of answers against the API document', () => {
  const best = { method: 'GET', url: '/api/v1/rooms/best?x=1' }
  const build = { method: 'POST', url: '/api/v1/rooms' }

  it('lets pass what is declared', () => {
    check(best, answer(200, { id: 1 }))
    check({ ...best, method: 'HEAD' }, answer(200, undefined))
    check(build, answer(201, { id: 1 }, { location: '/api/v1/rooms/1' }))
    check(build, problem(full))
    check({ method: 'GET', url: '/api/v1/rooms/x' }, problem(notFound))
    check({ method: 'GET', url: '/nowhere' }, problem(notFound))
    check({ method: 'GET', url: '/api/v1/page' }, answer(200, { anything: true }))
  })

  for (const [what, request, given, message] of [
    ['an undeclared status', best, answer(202, { id: 1 }), /the status is not declared/],
    ['a body of another shape', best, answer(200, { id: 'x' }), /#\/id must be integer/],
    ['an undeclared field', best, answer(200, { id: 1, more: 1 }), /must NOT have additional properties/],
    [
      'another content type',
      best,
      answer(200, { id: 1 }, { 'content-type': 'text/html' }),
      /content type text\/html is not declared/,
    ],
    ['a 201 that does not say where', build, answer(201, { id: 1 }), /header Location is missing/],
    [
      'an answer that may be framed',
      best,
      answer(200, { id: 1 }, { 'x-frame-options': undefined }),
      /it carries no x-frame-options/,
    ],
    ['a 405 that does not say what would do', best, problem(methodNotAllowed), /says no methods/],
    ['a problem without a detail', build, problem(full, { detail: undefined }), /the problem has no detail/],
    ['an answer without a request id', best, answer(200, { id: 1 }, { 'x-request-id': undefined }), /no X-Request-ID/],
    [
      'an undeclared code',
      best,
      problem(defineError('odd', 400, 'Odd')),
      /#\/code must be equal to one of the allowed values/,
    ],
    ['an error that another route declares', best, problem(full), /the status is not declared/],
    ['a problem without a code', build, problem(full, { code: undefined }), /the problem has no code/],
    ['a problem of another request', build, problem(full, { request_id: 'other' }), /not the one of X-Request-ID/],
    ['an error that is no problem', build, answer(409, { error: 'full' }), /not application\/problem\+json/],
    [
      'an answer that nothing declares',
      { method: 'GET', url: '/nowhere' },
      answer(200, {}),
      /no operation of the document/,
    ],
    ['a fixed word taken for a parameter', best, problem(notFound), /the status is not declared/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => check(request, given),
        (error) => error instanceof AnswerMismatch && message.test(error.message),
      )
    })
  }
})
