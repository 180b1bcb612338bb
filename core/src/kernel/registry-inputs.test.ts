import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type from 'typebox'
import { Closed } from './http/schemas.ts'
import { defineModule, defineRoute, type Route } from './module.ts'
import { createRegistry } from './registry.ts'

const shared = { access: 'public', transaction: 'manual', response: { 200: Closed({}) } } as const // words, as a route wants them

describe('the start refuses, by name', () => {
  const refusal = (fields: object) => {
    const route = {
      ...defineRoute({ ...shared, method: 'POST', path: '/x', summary: 'X', handler: () => ({}) }),
      ...fields,
    } as Route // what is wrong stands in the fields
    try {
      createRegistry([defineModule({ name: 'wrong', routes: [route] })])
    } catch (error) {
      return String(error)
    }
    return 'nothing'
  }
  const object = Type.Object
  const cases: [object, RegExp][] = [
    [{ headers: object({ 'X-Kind': Type.String() }) }, /the header X-Kind, which is no name in lower case/],
    [{ headers: object({ authorization: Type.String() }) }, /the header authorization, which the kernel keeps/],
    [{ headers: object({ cookie: Type.String() }) }, /the header cookie, which the kernel keeps/],
    [{ headers: object({ 'x-list': Type.Array(Type.String()) }) }, /the header x-list, which is no text/],
    [{ cookies: object({ 'a b': Type.String() }) }, /the cookie a b, which is no name of one/],
    [{ cookies: object({ a: object({}) }) }, /the cookie a, which is no text/],
    [{ headers: object({ 'x-when': Type.String({ format: 'nonsense' }) }) }, /unknown format 'nonsense'/],
    [{ raw: true, body: Closed({}) }, /raw and by a schema/],
    [{ raw: true, method: 'GET' }, /a raw body, which its method has not/],
    [{ raw: [] }, /raw body in no content type/],
    [{ raw: ['JSON'] }, /raw body in JSON, which is no content type/],
    [{ accepts: [], body: Closed({}) }, /accepts a body in no form/],
    [{ accepts: ['xml'], body: Closed({}) }, /as 'xml', which nobody knows/],
    [{ accepts: ['form'] }, /accepts a form, but has no body that is an object/],
    [{ accepts: ['form'], body: Closed({ a: Closed({}) }) }, /accepts a form whose field a is neither/],
  ]
  for (const [fields, expected] of cases) it(String(expected), () => assert.match(refusal(fields), expected))
})
