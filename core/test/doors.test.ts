import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { builtinModules } from '../src/modules/index.ts'

const MODULES = join(import.meta.dirname, '../src/modules')
const doors = new Map<string, Record<string, unknown>>()
for (const { name } of builtinModules) doors.set(name, await import(join(MODULES, name, 'index.ts')))
const doorOf = (name: string) => Object.entries(doors.get(name) ?? assert.fail(`the module ${name} has no door`))

/** Queries that others may use; what writes does so by an operation, which says what happened. */
const QUERY = /^(?:find|get|list|lock|count|select)[A-Z]/
const WRITES = /^(?:insert|update|delete|upsert)[A-Z]/

/**
 * What neighbours and applications may use of a module: its value, its events, its reading queries, its operations, and
 * the schemas, errors and types that they speak in.
 */
describe('the door of each module', () => {
  for (const module of builtinModules) {
    it(`of ${module.name} shows the module and every event of it`, () => {
      const shown = new Set(doorOf(module.name).map(([, value]) => value))
      assert.ok(shown.has(module), 'the module itself')
      assert.deepEqual(
        module.events.filter((event) => !shown.has(event)).map(({ name }) => name),
        [],
      )
    })

    it(`of ${module.name} shows no query that writes`, async () => {
      const files = readdirSync(join(MODULES, module.name), { recursive: true, encoding: 'utf8' })
      const queries = files.filter((file) => /(?:^|[-/])queries\.ts$/.test(file))
      const names = new Map<unknown, string>()
      for (const file of queries)
        for (const [name, value] of Object.entries(await import(join(MODULES, module.name, file))))
          names.set(value, name)
      const shown = doorOf(module.name).filter(([, value]) => names.has(value))
      assert.deepEqual(
        shown.map(([name]) => name).filter((name) => WRITES.test(name) || !QUERY.test(name)),
        [],
      )
    })
  }
})
