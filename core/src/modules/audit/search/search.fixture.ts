import type { TestCore } from '../../../testing/index.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { sealAll } from '../seals/seal.fixture.ts'

/**
 * Seals what the tenant has recorded, and has its chain know at once what it otherwise knows after a quarter of an hour:
 * that no older record can come to light.
 */
export async function completeAll(test: TestCore, tenantId: string): Promise<void> {
  await sealAll(test, tenantId)
  const complete = 'update audit_chains set complete_to = sealed_to where tenant_id = $1'
  await asSuperuser(test, complete, [tenantId])
}
