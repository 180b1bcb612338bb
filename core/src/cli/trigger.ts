import type { PublishedEvent } from '../kernel/events/published.ts'
import { type EventBody, eventBody } from '../kernel/feed/event-body.ts'
import { sampleOf } from '../kernel/http/openapi-samples.ts'
import { newId } from '../kernel/ids.ts'
import { kernelModule } from '../kernel/probes.ts'
import { createRegistry } from '../kernel/registry.ts'
import type { Command } from './command.ts'
import { UsageError } from './failures.ts'
import { RECEIVER_HELP, readReceiver, receiverOptions, saySent, sendEvent } from './forward.ts'

export const trigger: Command = {
  summary: 'send a sample of an event to a program of yours, signed as a webhook is',
  help: (cli) => `Usage: ${cli} trigger <event> --forward-to <url> [--secret <secret>]

Sends what a webhook of the event would get, of something that did not happen. Needs neither a server nor a database. Exit
code 0 when the answer is 2xx, 1 otherwise. "${cli} listen" sends what does happen.

${RECEIVER_HELP}`,
  options: receiverOptions,
  operands: 1,
  async run(values, { modules, product }, [name]) {
    const { published } = createRegistry([kernelModule, ...modules])
    if (name === undefined) throw new UsageError(`an event is required: ${listed([...published.keys()])}`)
    const event = published.get(name)
    if (!event) throw new UsageError(`there is no event "${name}"; ${near(name, [...published.keys()])}`)
    const receiver = readReceiver(values, product)
    const id = newId()
    const sent = await sendEvent(receiver, id, sampleBody(event))
    saySent(name, id, sent)
    return sent.isTaken ? 0 : 1
  },
}

/** As it would be sent, of something that did not happen. */
function sampleBody({ name, schema }: PublishedEvent): EventBody {
  const data = sampleOf(schema) as EventBody['data'] // its schema is one of an object
  const own = { tenant_id: newId(), ...data } as { tenant_id: string; id?: string } // ids, where it has them
  return eventBody({
    id: '',
    type: name,
    tenant_id: own.tenant_id,
    created_at: new Date().toISOString(),
    store_id: name.startsWith('store.') ? (own.id ?? null) : null,
    actor_type: 'system',
    actor_id: null,
    actor_label: 'system',
    impersonator_id: null,
    data,
  })
}

const listed = (names: readonly string[]): string => [...names].sort().join(', ')

/** The three that differ by the fewest letters; all where none is alike. */
function near(name: string, names: readonly string[]): string {
  const close = names
    .map((each) => ({ each, letters: distance(name, each) }))
    .filter(({ letters }) => letters <= name.length / 2)
    .sort((one, other) => one.letters - other.letters)
    .slice(0, 3)
    .map(({ each }) => each)
  return close.length > 0 ? `did you mean ${close.join(', ')}?` : `there are ${listed(names)}`
}

/** How many letters have to be added, removed or replaced (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1]
    for (const [j, each] of [...other].entries())
      next.push(Math.min((row[j] ?? 0) + (letter === each ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    row = next
  }
  return row[other.length] ?? 0
}
