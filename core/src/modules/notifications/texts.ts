import type { Ctx, NotificationAction, NotificationDefinition, TSchema } from '#kernel'
import { safeName } from '../mail/index.ts'

type Data = Readonly<Record<string, unknown>>
type Value = string | number | boolean | null

/** In what language and time zone a text is written. */
interface Reading {
  locale: string | null
  timezone: string | null
}

/** What may be done about a notification, as people see it. */
export interface ShownAction {
  name: string
  label: string
  route: string | null
  link: string | null
}

export interface Texts {
  title: string
  message: string
  actions: ShownAction[]
}

/**
 * The texts of a notification in the reader's language. One that cannot be written any more, since its module is gone or tells
 * something else by now, is shown by the name of its kind: it keeps nobody from reading the others.
 */
export function textsOf(ctx: Pick<Ctx, 'registry' | 'log'>, kind: string, data: Data, reading: Reading): Texts {
  const definition = ctx.registry.notifications.get(kind)
  if (!definition) return { title: kind, message: '', actions: [] }
  const write = (part: string) =>
    ctx.registry.messages.text(`notification.${kind}.${part}`, { ...reading, values: valuesOf(definition, data) })
  try {
    const actions = definition.actions.map((action) => shown(action, data, write(`actions.${action.name}`)))
    return { title: write('title'), message: write('message'), actions }
  } catch (error) {
    ctx.log.warn({ err: error, kind }, 'a notification cannot be written')
    return { title: kind, message: '', actions: [] }
  }
}

/** What preferences call a kind. */
export const nameOf = ({ registry }: Pick<Ctx, 'registry'>, kind: string, reading: Reading): string =>
  registry.messages.text(`notification.${kind}.name`, reading)

function shown(action: NotificationAction<never>, data: Data, label: string): ShownAction {
  const { name, route, link } = action as NotificationAction<Data> // of the kind whose data this is
  return { name, label, route: pathOf(route?.(data)), link: webAddressOf(link?.(data)) }
}

/** Names that people give may be in either: what a page would open elsewhere, or run, leads nowhere. */
const pathOf = (route: string | undefined) => (route !== undefined && /^\/(?![/\\])/.test(route) ? route : null)

function webAddressOf(link: string | undefined): string | null {
  const url = link === undefined ? null : URL.parse(link)
  return url && /^https?:$/.test(url.protocol) ? url.href : null
}

/**
 * What people typed is made safe to be read by others; what cannot be typed freely stays as it is: numbers, moments, ids, words
 * of a choice, and what the kind says to be `verbatim`.
 */
function valuesOf({ data: { properties } }: NotificationDefinition, data: Data): Record<string, Value> {
  const values: Record<string, Value> = {}
  for (const [name, schema] of Object.entries(properties)) {
    const value = data[name] ?? null
    if (typeof value === 'string') values[name] = isFree(schema) ? safeName(value, '…') : value
    else if (value === null || typeof value === 'number' || typeof value === 'boolean') values[name] = value
  }
  return values
}

function isFree(schema: TSchema): boolean {
  const { format, enum: words, verbatim } = schema as TSchema & { format?: string; enum?: unknown; verbatim?: boolean }
  return format === undefined && words === undefined && verbatim !== true
}
