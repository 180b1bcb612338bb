import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defineModule, type ModuleSpec } from '#kernel'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

/** What columns are called that hold what nobody else may have. */
const SECRETIVE = /secret|hash|token|sealed|private|password|signature|locked_by|claim/
/** And the ones called so that hold none. */
const HARMLESS = ['webhooks.signature'] // the kind of it

describe('what is exported of each table', () => {
  let t: TestCore
  let columns: Map<string, string[]>
  before(async () => {
    t = await createTestCore()
    const rows = await t.core.db.systemQuery<{ name: string; columns: string[] }>(
      `select t.name, array_agg(a.attname::text) as columns from tenantry.tables t
       join pg_attribute a on a.attrelid = to_regclass(format('core.%I', t.name)) and a.attnum > 0 and not a.attisdropped
       where t.kind = 'tenant' group by t.name order by t.name`,
    )
    columns = new Map(rows.map(({ name, columns }) => [name, columns]))
  })
  after(() => t?.close())

  it('is said of every table of the core', () => {
    const { exported } = t.core.registry
    assert.deepEqual(
      [...columns.keys()].filter((name) => !exported.has(name)),
      [],
    )
    assert.deepEqual(
      [...exported.keys()].filter((name) => !columns.has(name)),
      [],
    )
  })

  it('is without columns that there are', () => {
    for (const [table, rule] of t.core.registry.exported)
      if (typeof rule === 'object' && 'without' in rule && rule.without)
        assert.deepEqual(
          rule.without.filter((column) => !columns.get(table)?.includes(column)),
          [],
          table,
        )
  })

  it('is nothing that is secret', () => {
    const told = [...columns].flatMap(([table, all]) => {
      const rule = t.core.registry.exported.get(table) ?? 'whole'
      if (typeof rule === 'object' && 'never' in rule) return []
      const without = rule === 'whole' ? [] : (rule.without ?? [])
      return all
        .filter((column) => SECRETIVE.test(column) && !without.includes(column))
        .map((column) => `${table}.${column}`)
    })
    assert.deepEqual(told, HARMLESS)
  })

  it('is refused at the start where it is said twice, or says nothing', () => {
    const problems = (...exported: object[]) => {
      try {
        createRegistry([
          ...builtinModules,
          ...exported.map((exported, at) =>
            defineModule({ name: `m${at}`, exported: exported as ModuleSpec['exported'] }),
          ),
        ])
        return []
      } catch (error) {
        return (error as { problems: string[] }).problems
      }
    }
    assert.deepEqual(
      problems({ toys: 'whole' }, { cars: { without: ['secret'] } }, { dolls: { never: 'a cache' } }),
      [],
    )
    assert.deepEqual(problems({ stores: 'whole' }), ['two modules say what is exported of stores: stores and m0'])
    assert.deepEqual(problems({ audit_logs: 'whole' }), [
      'two modules say what is exported of audit_logs: kernel and m0',
    ])
    assert.deepEqual(problems({ toys: { never: '' } }), [
      'what is exported of toys (m0) is nothing, and it does not say why (never)',
    ])
    assert.deepEqual(problems({ toys: { without: [] } }), [
      'what is exported of toys (m0) is without no column: say whole',
    ])
    assert.deepEqual(problems({ toys: 'all' }), [
      'what is exported of toys (m0) is neither whole, without columns, nor never',
    ])
  })
})
