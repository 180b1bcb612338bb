import { routeOf } from './receive.ts'
import type { InboundSource, InboundSpec } from './source.ts'
import { jobOf } from './work.ts'

/** Declares a door for messages of others' servers. List it in the module's `inbound`. */
export function defineInbound(name: string, spec: InboundSpec): InboundSource {
  const { headers = [], verify } = spec
  const job = jobOf(name, spec)
  return Object.freeze({ name, headers, verify, job, route: routeOf({ name, headers, verify, job }, spec) })
}
