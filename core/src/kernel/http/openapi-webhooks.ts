import Type from 'typebox'
import type { PublishedEvent } from '../events/published.ts'
import { bodyOf } from '../feed/event-body.ts'
import type { Registry } from '../registry.ts'
import { tagOf, type Workshop } from './openapi-operations.ts'
import { sampleOf } from './openapi-samples.ts'
import { pascalCase } from './openapi-schemas.ts'
import type { Operation, Parameter, PathItem } from './openapi-types.ts'
import { Closed, OneOf } from './schemas.ts'

/** The messages that go out, by the names of their events; none where no module sends any. */
export function describeWebhooks(registry: Registry, workshop: Workshop): Record<string, PathItem> | undefined {
  if (registry.dispatchers.length === 0 || registry.published.size === 0) return undefined
  const events = [...registry.published.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return Object.fromEntries(events.map((event) => [event.name, { post: describeMessage(event, workshop) }]))
}

function describeMessage({ name, description, module, schema }: PublishedEvent, { schemas }: Workshop): Operation {
  const title = `${pascalCase(name)}Event`
  const type = OneOf([name], { description: 'What happened' })
  const data = Type.Unsafe<unknown>({ description: 'What it happened to', ...schema })
  const body = Closed(bodyOf(data, type), { title, description })
  return {
    operationId: `receive${pascalCase(name)}`,
    summary: description,
    tags: [tagOf(module)],
    parameters: HEADERS,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemas.convert(body, module), example: sampleOf(body) } },
    },
    responses: { '2XX': { description: 'Taken. Whatever else is answered: it is sent again, for about three days' } },
    security: [],
  }
}

const header = (name: string, description: string, example: string): Parameter => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string', examples: [example] },
})

const HEADERS: Parameter[] = [
  header('webhook-id', 'The id of the event: the same whenever it is sent', '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'),
  header('webhook-timestamp', 'When it is sent, in seconds since 1970', '1767182400'),
  header(
    'webhook-signature',
    'One signature or several with blanks between them',
    'v1,7TEzYDMGyk02IU3fDXh7JHycCztrp96FM554BoQiFSs=',
  ),
]
