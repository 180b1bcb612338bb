import type { FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import type { FieldProblem } from '../errors.ts'
import type { Route } from '../module.ts'
import { readCookies } from './cookies.ts'
import { tidierOf } from './forms.ts'
import { coercion, lazyCheck, unstorable } from './validate.ts'

/** The declared headers and cookies of a request, and problems with them. */
export interface DeclaredParts {
  headers?: Record<string, unknown>
  cookies?: Record<string, unknown>
  problems: Iterable<FieldProblem>[]
}

type Read = (request: FastifyRequest) => DeclaredParts

const NOTHING: DeclaredParts = Object.freeze({ problems: [] })

/** Makes the function that reads the headers and cookies that a route asks for. */
export function createDeclaredReader({ headers, cookies }: Pick<Route, 'headers' | 'cookies'>): Read {
  if (!headers && !cookies) return () => NOTHING
  const ofHeaders = headers && headerReader(headers)
  const ofCookies = cookies && cookieReader(cookies)
  return (request) => {
    const [inHeaders, inCookies] = [ofHeaders?.(request), ofCookies?.(request)]
    return {
      headers: inHeaders?.values,
      cookies: inCookies?.values,
      problems: [...(inHeaders?.problems ?? []), ...(inCookies?.problems ?? [])],
    }
  }
}

interface Part {
  values: Record<string, unknown>
  problems: Iterable<FieldProblem>[]
}

function headerReader(schema: TObject): (request: FastifyRequest) => Part {
  const names = Object.keys(schema.properties)
  const [coerce, tidy, check] = [coercion(schema), tidierOf(schema), lazyCheck(schema)]
  return ({ method, headers, raw }) => {
    // Parts are asked for with GET alone (RFC 9110, 14.2).
    const given = names.filter((name) => headers[name] !== undefined && !(method === 'HEAD' && name === 'range'))
    const values = coerce(Object.fromEntries(given.map((name) => [name, headers[name]])))
    tidy?.(values)
    // Node keeps the first of some headers and joins others: a proxy may have read another one.
    const twice = given
      .filter((name) => timesSent(raw.rawHeaders, name) > 1)
      .map((name) => ({ pointer: `headers/${name}`, detail: 'was sent more than once' }))
    return { values, problems: [twice, unstorable(values, 'headers'), check(values, 'headers')] }
  }
}

function timesSent(rawHeaders: readonly string[], name: string): number {
  return rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === name).length
}

function cookieReader(schema: TObject): (request: FastifyRequest) => Part {
  const names = new Set(Object.keys(schema.properties))
  const [coerce, tidy, check] = [coercion(schema), tidierOf(schema), lazyCheck(schema)]
  return ({ headers }) => {
    const { cookies, problems } = readCookies(headers.cookie, names)
    const values = coerce(cookies)
    tidy?.(values)
    // One that could not be read has no further problems.
    return {
      values,
      problems: problems.length > 0 ? [problems] : [unstorable(values, 'cookies'), check(values, 'cookies')],
    }
  }
}

/** Whether the request has a cookie that the route declares. */
export function bringsCookies({ cookies }: Pick<Route, 'cookies'>, { headers }: FastifyRequest): boolean {
  if (!cookies || headers.cookie === undefined) return false
  const names = new Set(Object.keys(cookies.properties))
  return headers.cookie.split(';').some((pair) => names.has(pair.split('=', 1)[0]!.trim())) // split gives one part at least
}
