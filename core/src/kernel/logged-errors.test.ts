import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import pino from 'pino'
import { withoutRows } from './logged-errors.ts'
import { messageOf } from './system-errors.ts'

/** As the driver makes them. */
const refused = (fields: Record<string, string>, message = 'null value in column "name"') =>
  Object.assign(new Error(message), { severity: 'ERROR', code: '23502', ...fields })

function lineOf(error: unknown, name = 'err'): string {
  let line = ''
  const into = new Writable({
    write(chunk, _encoding, done) {
      line += String(chunk)
      done()
    },
  })
  withoutRows(pino(into)).error({ [name]: error }, 'a request failed')
  return line
}

test('a line tells what the database refused, and quotes nothing of it', () => {
  const line = lineOf(refused({ detail: 'Failing row contains (SECRET)', where: 'SECRET', internalQuery: 'SECRET' }))
  assert.match(line, /null value in column/)
  assert.match(line, /23502/)
  assert.match(line, /"type":"Error"/)
  assert.ok(!line.includes('SECRET'))
})

test('nor does the error that wraps it, however deep, or one of several', () => {
  const inner = refused({ detail: 'SECRET' }, 'invalid input syntax for type integer: "SECRET\nand "more" SECRET"')
  const wrapped = new Error('outer', { cause: new Error('middle', { cause: inner }) })
  const several = new AggregateError([inner, wrapped], 'several')
  for (const error of [inner, wrapped, several]) {
    const line = lineOf(error)
    assert.match(line, /invalid input syntax for type integer/)
    assert.ok(!line.includes('SECRET'), line)
  }
})

test('nor is the connection told that the pool attaches to the error', () => {
  const line = lineOf(Object.assign(new Error('terminated'), { client: { connection: { secretKey: 'SECRET' } } }))
  assert.match(line, /terminated/)
  assert.ok(!line.includes('SECRET'))
})

test('other errors are told whole, and what is none as it is', () => {
  assert.match(lineOf(new Error('wrong value: "on"')), /wrong value: \\"on\\"/)
  assert.match(lineOf('a word'), /a word/)
})

test('under every name, whoever made the error, wherever the value stands', () => {
  const unquoted = refused({}, 'time zone "SECRET" not recognized')
  const found = [
    unquoted,
    refused({}, 'syntax error at or near "SECRET"'),
    new Error('The value "SECRET" cannot be converted to an integer.'),
    syntaxErrorOf('{"password": SECRET}'),
  ]
  for (const error of found)
    for (const name of ['err', 'error', 'cause'])
      assert.ok(!lineOf(error, name).includes('SECRET'), lineOf(error, name))
  assert.equal(messageOf(unquoted), 'time zone "…" not recognized')
  assert.equal(messageOf('a word'), 'a word')
})

function syntaxErrorOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
