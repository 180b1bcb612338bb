import type { Ctx } from '#kernel'
import { sampleBody } from './deliveries/test-message.ts'

/** All events that are sent, by name. */
export function readCatalogue(ctx: Ctx) {
  const events = [...ctx.registry.published.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return {
    data: events.map((event) => ({
      name: event.name,
      description: event.description,
      schema: event.schema,
      sample: sampleBody(ctx, event),
    })),
  }
}
