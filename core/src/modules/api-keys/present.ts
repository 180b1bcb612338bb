import { pickFields } from '#kernel'
import { endOf } from './access/ends.ts'
import { ApiKey } from './schema.ts'
import type { ApiKeyRow } from './table.ts'

/** A key as it stands on the wire: never with its secret, which nobody has any more. */
export const presentKey = (row: ApiKeyRow): ApiKey => pickFields(ApiKey, { ...row, expires_at: endOf(row) })
