// The core of bench/load.ts, which counts what tenants cost, or does not, as it is told, and tells what share of its time that took.
import { type Profiler, Session } from 'node:inspector/promises'
import pino from 'pino'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { serve } from './child.ts'

const SAMPLED_EVERY_US = 200
/** What counts, and what it asks the connection for. */
const COUNTING = /\/kernel\/load\/|\/modules\/load\//
const COUNTING_IN: [RegExp, RegExp][] = [
  [/\/kernel\/db\/database\.ts$/, /^(?:Cost|begin|wrote|addTo)$/],
  [/\/kernel\/db\/kysely\.ts$/, /^note$/],
  [/^node:net$/, /^(?:get|bytesRead|bytesWritten|_bytesDispatched)$/],
]
/** When nothing runs, or something that is not JavaScript, of which nobody knows for what. */
const NOBODY = ['(idle)', '(program)']

const core = await createCore({
  config: loadConfig(process.env, builtinModules),
  modules: builtinModules,
  log: pino({ level: 'warn' }),
})
const inspector = new Session()
inspector.connect()
await inspector.post('Profiler.enable')
await inspector.post('Profiler.setSamplingInterval', { interval: SAMPLED_EVERY_US })

process.on('message', async (message) => {
  if (message === 'count') core.load.start()
  if (message === 'rest') core.load.stop()
  if (message === 'sample') await inspector.post('Profiler.start')
  if (message === 'share') process.send?.({ share: shareOf((await inspector.post('Profiler.stop')).profile) })
})
await serve(await core.app())

/** The part of the time that the counting took. */
function shareOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): number {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  let all = 0
  let counting = 0
  for (const [place, id] of samples.entries()) {
    const { functionName = '', url = '' } = frames.get(id) ?? {}
    if (NOBODY.includes(functionName)) continue
    const us = timeDeltas[place] ?? 0
    all += us
    const isCounting =
      COUNTING.test(url) || COUNTING_IN.some(([file, name]) => file.test(url) && name.test(functionName))
    if (isCounting) counting += us
  }
  return counting / all
}
