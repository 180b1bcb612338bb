import { at, type Ctx, defineError, invalidRequest, newId, normalizeEmail, onUnique } from '#kernel'
import { keepPicture, type PictureForm, replacePicture } from '../pictures/index.ts'
import { userUpdated } from './events.ts'
import {
  deleteUserTenant,
  findLogin,
  getUserWithLogin,
  insertUser,
  insertUserTenant,
  lockUser,
  updateUser,
  upsertLogin,
} from './queries.ts'
import { presentUser, type User, type UserChanges } from './schema.ts'
import type { UserRow } from './table.ts'

/** 409: another person has this e-mail address. */
export const emailTaken = defineError('email_taken', 409, 'This e-mail address is already in use')

export interface NewUser {
  /** In any spelling; 400 `invalid_request` at `#/email` when it is no address. */
  email: string
  name: string
  locale?: string
  timezone?: string
  /** Needs a transaction of the system role. */
  isSuperAdmin?: boolean
  emailVerifiedAt?: string | null
  /** Default: `active`. */
  status?: UserRow['status']
}

/**
 * Adds a person without password and tenant. Throws 409 `email_taken`, after which the transaction is still usable.
 * Emits no event: the module that registers or invites the person does.
 */
export async function addUser(ctx: Ctx, input: NewUser): Promise<UserRow> {
  const email = requireEmail(input.email)
  const now = ctx.clock.now()
  const user = await insertUser(ctx.tx, {
    id: newId(),
    created_at: now,
    updated_at: now,
    email,
    email_normalized: email,
    name: input.name,
    phone: null,
    locale: input.locale ?? 'en',
    timezone: input.timezone ?? 'UTC',
    email_verified_at: input.emailVerifiedAt ?? null,
    two_factor_enabled: false,
    status: input.status ?? 'active',
    // Left out unless true, because the application role may not write the column.
    ...(input.isSuperAdmin && { is_super_admin: true }),
  })
  if (!user) throw emailTaken()
  return user
}

function requireEmail(text: string): string {
  const email = normalizeEmail(text)
  if (email !== null) return email
  throw invalidRequest({ errors: [at('email', 'is not a valid e-mail address')] })
}

/** The signed-in person. */
export async function readMe(ctx: Ctx): Promise<User> {
  const { last_login_at, ...user } = await getUserWithLogin(ctx.tx, ctx.userId)
  return presentUser(ctx, user, last_login_at)
}

/** The signed-in person changes their own profile. */
export const changeMe = (ctx: Ctx, { name, phone, locale, timezone }: UserChanges): Promise<User> =>
  changeOwn(ctx, { name, phone, locale, timezone })

/** The signed-in person shows a picture in place of the one before. Throws what `keepPicture` throws. */
export const addMyAvatar = (ctx: Ctx, form: PictureForm): Promise<User> =>
  keepPicture(ctx, 'avatar', form, (ctx, avatar_id) => changeOwn(ctx, { avatar_id }))

/** The signed-in person shows none. */
export async function removeMyAvatar(ctx: Ctx): Promise<void> {
  await changeOwn(ctx, { avatar_id: null })
}

async function changeOwn(ctx: Ctx, patch: UserPatch): Promise<User> {
  const user = await changeUser(ctx, ctx.userId, patch)
  return presentUser(ctx, user, (await findLogin(ctx.tx, user.id))?.last_login_at ?? null)
}

/**
 * What may change about a person. Undefined leaves a field as it is. Requests change `name`, `phone`, `avatar_id`, `locale`,
 * `timezone` and `email_verified_at`; the other columns take a transaction of the system role.
 */
export type UserPatch = Partial<
  Pick<
    UserRow,
    | 'email'
    | 'name'
    | 'phone'
    | 'avatar_id'
    | 'locale'
    | 'timezone'
    | 'email_verified_at'
    | 'two_factor_enabled'
    | 'is_super_admin'
    | 'status'
  >
>

/**
 * Changes a person and emits `user.updated` unless nothing differs. The row stays locked until the transaction ends. An
 * `email` is normalised; 409 `email_taken` when another person has it.
 */
export async function changeUser(ctx: Ctx, id: string, patch: UserPatch): Promise<UserRow> {
  const before = await lockUser(ctx.tx, id)
  const changed = differences(
    before,
    patch.email === undefined ? patch : { ...patch, email: requireEmail(patch.email) },
  )
  if (Object.keys(changed).length === 0) return before
  if (changed.avatar_id !== undefined) await replacePicture(ctx, before.avatar_id, changed.avatar_id)
  const identity = changed.email === undefined ? {} : { email_normalized: changed.email }
  const after = await onUnique(updateUser(ctx.tx, id, { ...changed, ...identity, updated_at: ctx.clock.now() }), {
    users_email_key: emailTaken,
  })
  await ctx.emit(userUpdated, { before: presentUser(ctx, before, null), after: presentUser(ctx, after, null) })
  await ctx.forget({ userId: id })
  return after
}

function differences(before: UserRow, patch: UserPatch): UserPatch {
  const entries = Object.entries(patch).filter(
    // The keys of a patch are columns of the row.
    ([column, value]) => value !== undefined && value !== before[column as keyof UserPatch],
  )
  return Object.fromEntries(entries)
}

/** Records a sign-in to `tenantId` (null: to no tenant), which the next sign-in starts from; returns its time. */
export async function recordLogin(ctx: Ctx, userId: string, tenantId: string | null): Promise<string> {
  const now = ctx.clock.now()
  await upsertLogin(ctx.tx, { user_id: userId, last_login_at: now, last_tenant_id: tenantId })
  return now
}

/** Adds a membership to the directory; an existing one keeps its date. */
export async function addUserTenant(ctx: Ctx, userId: string, tenantId: string): Promise<void> {
  await insertUserTenant(ctx.tx, { user_id: userId, tenant_id: tenantId, joined_at: ctx.clock.now() })
}

/** Removes a membership from the directory. */
export async function removeUserTenant(ctx: Ctx, userId: string, tenantId: string): Promise<void> {
  await deleteUserTenant(ctx.tx, userId, tenantId)
}
