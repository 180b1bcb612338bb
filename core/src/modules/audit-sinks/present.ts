import { type Ctx, pickFields, recordUrl } from '#kernel'
import { getSealedPosition } from '../audit/index.ts'
import { AuditSink, SinkRecord } from './schema.ts'
import type { SinkRow } from './table.ts'

/** A sink as it stands on the wire; `sealed`: the number of sealed records of the tenant. */
export function presentSink(row: SinkRow, sealed: number): AuditSink {
  return pickFields(AuditSink, { ...row, backlog: Math.max(0, sealed - row.position) })
}

/** The same with a look-up of that number. */
export async function answerSink({ tx, tenantId }: Ctx, sink: SinkRow): Promise<AuditSink> {
  return presentSink(sink, await getSealedPosition(tx, tenantId))
}

/** A sink as records keep it. */
export function recordSink(row: SinkRow): SinkRecord {
  return pickFields(SinkRecord, { ...row, ...recordUrl(row.url) })
}

/** The name of a sink in records. */
export function labelOf({ url }: Pick<SinkRow, 'url'>): string {
  return new URL(url).host
}
