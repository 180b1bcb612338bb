import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineModule } from './module.ts'
import { createRegistry, RegistryError } from './registry.ts'
import type { Holding } from './removal/define.ts'

const holding = (columns: string[], more: object): Holding =>
  ({ table: 'codes', columns, ...more }) as unknown as Holding // as applications in plain JavaScript may
const remove = async () => 0

const problemsOf = (...modules: Holding[][]): readonly string[] => {
  try {
    createRegistry(modules.map((holdings, n) => defineModule({ name: `m${n}`, holdings })))
    return []
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    return error.problems
  }
}

test('what is held of tenants goes, or stays for a reason, and is said once', () => {
  assert.deepEqual(
    problemsOf([holding(['tenant_id'], { remove })], [holding(['other_tenant_id'], { kept: 'why' })]),
    [],
  )
  assert.deepEqual(problemsOf([holding(['tenant_id'], { remove })], [holding(['tenant_id'], { remove })]), [
    'two modules say what becomes of codes.tenant_id: m0 and m1',
  ])
  for (const nothing of [{}, { remove: undefined }, { kept: '' }])
    assert.deepEqual(problemsOf([holding(['tenant_id'], nothing)]), [
      'what m0 holds of tenants in codes neither goes (remove) nor stays for a reason (kept)',
    ])
})

test('the registry has what the kernel holds first', () => {
  const { holdings } = createRegistry([defineModule({ name: 'm', holdings: [holding(['tenant_id'], { remove })] })])
  assert.deepEqual([holdings[0]?.module, holdings.at(-1)?.module, holdings.at(-1)?.table], ['kernel', 'm', 'codes'])
})
