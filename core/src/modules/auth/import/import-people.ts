import { AppError, type Ctx, conflict, consume, requireWritable } from '#kernel'
import { createMember, listMembersAmong } from '../../members/index.ts'
import { addUser, listUsersByEmail, lockUser, type UserRow } from '../../users/index.ts'
import { imported } from '../events.ts'
import { insertPassword } from '../queries.ts'
import type { Entry } from './entry.ts'
import { refusalOf } from './existing.ts'
import { createPlaces, type Joining, NoSuchPlace, type Place } from './places.ts'
import { createSeen, type Seen } from './seen.ts'

export interface ImportOptions {
  /** Where people are put whose entry names no tenant: its slug or id. */
  tenant?: string | null
  /** What they hold where their entry names no role: its name or id. Default: what new members get. */
  role?: string | null
  /** Only says what would happen. */
  isDry?: boolean
}

/** What became of an entry, or would. */
export interface Imported {
  /** `failed`: nothing of it was written, or not all of it, as `reason` says. */
  outcome: 'added' | 'exists' | 'failed'
  hasPassword: boolean
  /** The slugs of tenants that they did not belong to before. */
  joined: string[]
  /** Why it failed: a sentence without its full stop. */
  reason?: string
}

/** Takes people in from another application, as many at a time as it is given. */
export interface Importer {
  /**
   * Adds those who are not there, and each to the tenants where they are not. Who is there keeps name, password and roles.
   * Nobody is mailed. Repeating it changes nothing. The entries have addresses of their own each.
   */
  take(entries: readonly Entry[]): Promise<Imported[]>
}

/** In the order of the entries while they are worked on. */
interface Task {
  entry: Entry
  user: UserRow | undefined
  joins: Joining[]
  result: Imported
}

/**
 * Opens transactions of its own, so `ctx` has none. Throws NoSuchPlace for a tenant or role of the options, which are looked at
 * first.
 */
export async function openImporter(ctx: Ctx, options: ImportOptions): Promise<Importer> {
  const { isDry = false, tenant = null, role = null } = options
  const places = createPlaces(ctx, { keeps: isDry })
  if (tenant !== null) await places.find(tenant, role)
  const seen = createSeen()
  const ours = createSeen()
  const wanted = ({ places: own }: Entry) =>
    own.length > 0
      ? own.map((place) => ({ tenant: place.tenant ?? tenant, role: place.role ?? role }))
      : tenant === null
        ? []
        : [{ tenant, role }]

  const resolve = async (entry: Entry, user: UserRow | undefined): Promise<Task> => {
    const result: Imported = {
      outcome: user ? 'exists' : 'added',
      hasPassword: entry.passwordHash !== null,
      joined: [],
    }
    const task: Task = { entry, user, joins: [], result }
    try {
      const joins = new Map<string, Joining>()
      for (const { tenant, role } of wanted(entry)) {
        if (tenant === null) throw new NoSuchPlace('it names a role and no tenant')
        const join = await places.find(tenant, role)
        if (!joins.has(join.place.id)) joins.set(join.place.id, join)
      }
      return { ...task, joins: [...joins.values()] }
    } catch (error) {
      if (!(error instanceof NoSuchPlace)) throw error
      return fail(task, error.message)
    }
  }

  return {
    async take(entries) {
      const users = await findUsers(ctx, entries)
      const tasks = await Promise.all(entries.map((entry) => resolve(entry, users.get(entry.email))))
      await leaveOutMembers(ctx, tasks)
      await refuseStrangers(ctx, tasks, ours)
      if (isDry) for (const task of tasks) recall(task, seen)
      for (const task of tasks) takeSeats(task, places)
      if (isDry) for (const task of tasks) note(task, seen)
      else await writeAll(ctx, tasks, { places, ours })
      return tasks.map(({ result }) => result)
    },
  }
}

function fail<T extends Pick<Task, 'result'>>(task: T, reason: string): T {
  Object.assign(task.result, { outcome: 'failed', reason })
  return task
}

const hasFailed = ({ result }: Task) => result.outcome === 'failed'

async function findUsers(ctx: Ctx, entries: readonly Entry[]): Promise<ReadonlyMap<string, UserRow>> {
  const emails = entries.map(({ email }) => email)
  const users = await ctx.transaction(({ tx }) => listUsersByEmail(tx, emails), { tenantId: null, readOnly: true })
  return new Map(users.map((user) => [user.email_normalized, user]))
}

/** Leaves out of the tasks the tenants that people belong to already, or are invited to. */
async function leaveOutMembers(ctx: Ctx, tasks: readonly Task[]): Promise<void> {
  const known = new Map<string, string[]>()
  for (const { user, joins } of tasks)
    for (const { place } of user ? joins : []) known.set(place.id, [...(known.get(place.id) ?? []), user?.id ?? ''])
  for (const [tenantId, userIds] of known) {
    const members = await ctx.transaction(({ tx }) => listMembersAmong(tx, tenantId, userIds), {
      tenantId,
      readOnly: true,
    })
    const ids = new Set(members.map(({ id }) => id))
    for (const task of tasks)
      if (task.user && ids.has(task.user.id)) task.joins = task.joins.filter(({ place }) => place.id !== tenantId)
  }
}

/** Fails the tasks of those who are there already and may join nothing by a file. */
async function refuseStrangers(ctx: Ctx, tasks: readonly Task[], ours: Seen): Promise<void> {
  const due = tasks.filter((task) => !hasFailed(task) && task.user && task.joins.length > 0)
  if (due.length === 0) return
  await ctx.transaction(
    async (ctx) => {
      for (const task of due) {
        const reason = await refusalOf(ctx, task.user?.id ?? '', task.entry, ours)
        if (reason !== null) fail(task, reason)
      }
    },
    { tenantId: null, readOnly: true },
  )
}

/** A dry run finds out of its memory what an earlier line would have written. */
function recall(task: Task, seen: Seen): void {
  const { email } = task.entry
  if (hasFailed(task)) return
  if (seen.has(email)) task.result.outcome = 'exists'
  task.joins = task.joins.filter(({ place }) => !seen.has(`${email} ${place.id}`))
}

function note(task: Task, seen: Seen): void {
  const { email } = task.entry
  if (hasFailed(task)) return
  seen.add(email)
  for (const { place } of task.joins) seen.add(`${email} ${place.id}`)
  task.result.joined = task.joins.map(({ place }) => place.slug)
}

/** An entry gets all the seats that it needs, or fails before anything of it is written. */
function takeSeats(task: Task, places: ReturnType<typeof createPlaces>): void {
  const taken: Place[] = []
  if (hasFailed(task)) return
  for (const { place } of task.joins) {
    const reason = place.refusal !== null ? `${place.slug} ${place.refusal}` : places.take(place) ? null : full(place)
    if (reason === null) {
      taken.push(place)
      continue
    }
    for (const each of taken) places.give(each)
    fail(task, reason)
    return
  }
}

const full = ({ slug }: Place) => `the plan of ${slug} allows no more people`

/** Every person into their first tenant, in the transaction that adds them; then into their second, and so on. */
async function writeAll(ctx: Ctx, tasks: readonly Task[], kept: Pick<Round, 'places' | 'ours'>): Promise<void> {
  for (let round = 0; ; round++) {
    const due = tasks.filter((task) => !hasFailed(task) && (task.joins.length > round || (round === 0 && !task.user)))
    if (due.length === 0) return
    const groups = Map.groupBy(due, ({ joins }) => joins[round]?.place)
    for (const [place, group] of groups) await writeGroup(ctx, group, { place, round, ...kept })
  }
}

interface Round {
  /** Undefined: people who join nothing. */
  place: Place | undefined
  round: number
  places: ReturnType<typeof createPlaces>
  /** The addresses of those whose passwords this import has written. */
  ours: Seen
}

/** Writes them in one transaction; where it fails, each in one of their own, so that one fails alone. */
async function writeGroup(ctx: Ctx, group: readonly Task[], step: Round): Promise<void> {
  const { place, round, places, ours } = step
  try {
    const users = await ctx.transaction((ctx) => write(ctx, group, step), { tenantId: place?.id ?? null })
    for (const [index, task] of group.entries()) {
      if (!task.user && task.entry.passwordHash !== null) ours.add(task.entry.email)
      task.user = users[index]
      if (place) task.result.joined.push(place.slug)
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const [task] = group
    if (group.length > 1) for (const each of group) await writeGroup(ctx, [each], step)
    else if (task) {
      for (const { place } of task.joins.slice(round)) places.give(place)
      fail(task, error.details.detail ?? error.kind.title)
    }
  }
}

async function write(ctx: Ctx, group: readonly Task[], { place, round, ours }: Round): Promise<UserRow[]> {
  if (place) await requireWritable(ctx, 'users')
  await holdExisting(ctx, group, ours)
  const written = await Promise.all(
    group.map(async ({ entry, user, joins }) => {
      const person = user ?? (await addPerson(ctx, entry, place))
      const join = joins[round]
      if (!join) await recordAlone(ctx, person, entry)
      else {
        const roles = join.roleId === null ? undefined : [{ role_id: join.roleId }]
        await createMember(ctx, { user: person, name: person.name, roles })
      }
      return person
    }),
  )
  if (place) await consume(ctx, 'users', group.length)
  return written
}

/** Looks once more, at rows that are locked: somebody may have registered, or become an operator, since they were read. */
async function holdExisting(ctx: Ctx, group: readonly Task[], ours: Seen): Promise<void> {
  const existing = group.flatMap(({ user, entry }) => (user ? [{ id: user.id, entry }] : []))
  // In order, so that two imports do not wait for each other.
  for (const { id, entry } of existing.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    await lockUser(ctx.tx, id)
    const reason = await refusalOf(ctx, id, entry, ours)
    if (reason !== null) throw conflict({ detail: reason })
  }
}

async function addPerson(ctx: Ctx, entry: Entry, place: Place | undefined): Promise<UserRow> {
  const { email, name, passwordHash, isEmailVerified, status } = entry
  const now = ctx.clock.now()
  const user = await addUser(ctx, {
    email,
    name: name ?? email.slice(0, email.lastIndexOf('@')),
    locale: entry.locale ?? place?.locale,
    timezone: entry.timezone ?? place?.timezone,
    emailVerifiedAt: isEmailVerified ? now : null,
    status,
  })
  if (passwordHash !== null) await insertPassword(ctx.tx, { user_id: user.id, hash: passwordHash, changed_at: now })
  return user
}

/** Who joins a tenant is recorded there. */
async function recordAlone(ctx: Ctx, { id, name }: UserRow, { passwordHash }: Entry): Promise<void> {
  await ctx.emit(imported, { id, label: name, storeId: null, after: { has_password: passwordHash !== null } })
}
