import type { AuditLog } from '../schema.ts'
import { type Entry, hashBlock, hashRecord, NO_HASH, packEntries } from './chain.ts'
import type { CheckpointKeys } from './checkpoint-keys.ts'
import { writeSeal } from './seal-lines.ts'

const TENANT = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'
const LEAST = '00000000-0000-0000-0000-000000000000'

/** A file as an export with proof gives it, of so many blocks with so many records each, without a database. */
export function* makeProof(keys: CheckpointKeys, { blocks, records }: { blocks: number; records: number }) {
  let previous: Buffer = NO_HASH
  for (let height = 1; height <= blocks; height++) {
    const entries: Entry[] = []
    for (let n = 1; n <= records; n++) {
      const record = makeRecord((height - 1) * records + n)
      entries.push({ id: record.id, hash: hashRecord(record) })
      yield JSON.stringify(record)
    }
    const block = {
      tenant_id: TENANT,
      height,
      kind: 'records' as const, // the word is the type
      first_position: (height - 1) * records + 1,
      record_count: records,
      entries: packEntries(entries),
      complete_to: LEAST,
      removed_to: null,
      kept_from: null,
      created_at: '2026-01-31T12:00:00.000Z',
      previous_hash: previous,
    }
    const hash = hashBlock(block)
    yield JSON.stringify({ seal: writeSeal({ ...block, hash, ...keys.sign(hash) }, keys.all[0]) })
    previous = hash
  }
}

function makeRecord(n: number): AuditLog {
  return {
    id: `01926f3c-7b1e-7000-8000-${n.toString(16).padStart(12, '0')}`,
    tenant_id: TENANT,
    user_id: null,
    actor: { type: 'system', id: null, label: 'system', impersonator_id: null },
    action: 'toy.made',
    resource_type: 'toy',
    resource_id: `${n}`,
    resource_label: `Toy ${n}`,
    store_id: null,
    old_values: null,
    new_values: { name: `Toy ${n}`, tags: ['ä', n, null] },
    ip_address: '192.0.2.1',
    user_agent: null,
    request_id: null,
    created_at: '2026-01-31T12:00:00.000Z',
  }
}
