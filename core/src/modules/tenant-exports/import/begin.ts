import { type Ctx, constraintOf } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { ImportRefused } from '../reading/refused.ts'
import type { ImportRow } from '../table.ts'
import { finishImport } from './finish.ts'
import { createIdentities, type LinkedPeople } from './identities.ts'
import {
  deleteImport,
  deleteImportedSlug,
  findImport,
  findSlugHere,
  findTenantHere,
  insertImport,
  insertImportedSlug,
  updateImportStep,
} from './import-queries.ts'
import { linkPeople, membersOf, newSalt } from './link-people.ts'
import type { ChosenOwner } from './owner.ts'
import { asSystem, COMPLETION, elsewhere, type Import, writeTable } from './steps.ts'
import type { Wishes } from './wishes.ts'

/** Not called like a table. */
const PEOPLE = ' people'
const outside = { role: 'system', tenantId: null } as const // a word is a type

interface Wanted {
  wishes: Wishes
  /** SHA-256 of the manifest. */
  sum: string
}

/**
 * The import that this one goes on with; undefined: it begins. Throws `ImportRefused` where the tenant is there already, its slug is
 * another one's, or an interrupted import was of another file or asked for something else.
 */
export function findRest(
  ctx: Ctx,
  { manifest, ...wanted }: Wanted & { manifest: Manifest },
): Promise<ImportRow | undefined> {
  const { tenant } = manifest
  return ctx.transaction(async ({ tx }) => {
    const isHere = (await findTenantHere(tx, tenant.id)) !== undefined
    const rest = await findImport(tx, tenant.id)
    // Somebody has removed what an earlier import had read.
    const isGone = rest !== undefined && !isHere && rest.step !== PEOPLE && rest.step !== 'tenants'
    if (isGone) {
      await deleteImportedSlug(tx, tenant.id)
      await deleteImport(tx, tenant.id)
    }
    if (rest && !isGone) {
      requireSame(rest, wanted)
      return rest
    }
    if (isHere) throw isHereAlready(tenant.id)
    if (await findSlugHere(tx, wanted.wishes.slug)) throw slugTaken(wanted.wishes.slug)
    return undefined
  }, outside)
}

function requireSame(rest: ImportRow, { sum, wishes }: Wanted): void {
  const begun = `an import of the tenant ${rest.tenant_id} was interrupted, which was`
  const otherwise = 'go on as it began, or take away what came of it with --abandon'
  if (rest.manifest_sha256 !== sum) throw new ImportRefused(`${begun} from another export: ${otherwise}`)
  const asked = [rest.slug, rest.owner_email, rest.plan].map((each) => each ?? 'none')
  const now = [wishes.slug, wishes.owner, wishes.plan].map((each) => each ?? 'none')
  for (const [at, option] of ['--slug', '--owner', '--plan'].entries())
    if (asked[at] !== now[at])
      throw new ImportRefused(`${begun} with ${option} ${asked[at]}, and not ${now[at]}: ${otherwise}`)
}

const isHereAlready = (id: string) => new ImportRefused(`the tenant ${id} is here already`)

const slugTaken = (slug: string) =>
  new ImportRefused(`the slug ${slug} belongs to another tenant: choose one with --slug`)

/** Does all steps that are not done. */
export async function writeImport(ctx: Ctx, all: Import, wanted: Wanted & { owner: ChosenOwner }): Promise<void> {
  const { manifest, tables, options } = all
  options.progress.begins(
    'write',
    manifest.tables.reduce((sum, { bytes }) => sum + bytes, manifest.files.bytes_of_files),
  )
  const tenantId = manifest.tenant.id
  const taken = tables.filter(({ rule }) => rule.never === undefined)
  const steps = [PEOPLE, ...taken.map(({ name }) => name), COMPLETION]
  let at = await begin(ctx, tenantId, wanted)
  if (!steps.includes(at.step))
    throw new ImportRefused(
      'this installation has changed since the import began, or it is being taken away: take away what came of it with --abandon',
    )
  const linked = await linkPeople(ctx, tenantId, membersOf(all.people))
  const writing = {
    identities: createIdentities({ people: all.people, linked, salt: at.salt }),
    tenant: tenantRow(wanted, linked),
  }
  for (const [place, step] of steps.entries()) {
    if (place < steps.indexOf(at.step)) continue
    const table = taken.find(({ name }) => name === step)
    if (table) await writeTable(ctx, all, { table, linesDone: at.step === step ? at.lines_done : 0, writing })
    if (step === COMPLETION) return finishImport(ctx, all, { ...wanted, ownerId: idHere(linked, wanted.owner) })
    const next = steps[place + 1] ?? COMPLETION
    await goTo(ctx, { tenant_id: tenantId, step, lines_done: table?.told.rows ?? 0 }, next)
    at = { ...at, step: next, lines_done: 0 }
  }
}

const tenantRow = ({ wishes, owner }: Wanted & { owner: ChosenOwner }, linked: LinkedPeople) => ({
  slug: wishes.slug,
  owner_id: idHere(linked, owner),
})

function idHere(linked: LinkedPeople, { id, email }: ChosenOwner): string {
  const person = linked.get(id)
  // Whoever registered meanwhile with this address has proven nothing.
  if (!person || person.kind === 'none')
    throw new ImportRefused(`${email} is nobody's proven address any more: begin again with --abandon`)
  return person.user_id
}

async function begin(ctx: Ctx, tenantId: string, { wishes, sum }: Wanted): Promise<ImportRow> {
  const now = ctx.clock.now()
  const { slug, owner, plan } = wishes
  const row: ImportRow = {
    ...{ tenant_id: tenantId, manifest_sha256: sum, slug, owner_email: owner, plan, salt: newSalt() },
    ...{ step: PEOPLE, lines_done: 0, created_at: now, updated_at: now },
  }
  return ctx
    .transaction(async ({ tx }) => {
      const known = await findImport(tx, tenantId)
      if (known) return known
      // Another process has come to the end meanwhile.
      if (await findTenantHere(tx, tenantId)) throw isHereAlready(tenantId)
      await insertImport(tx, row)
      await insertImportedSlug(tx, slug, tenantId)
      return row
    }, outside)
    .catch((error: unknown) => {
      if (constraintOf(error) === 'tenant_imports_pkey') throw elsewhere()
      throw constraintOf(error) === 'tenant_slugs_pkey' ? slugTaken(slug) : error
    })
}

async function goTo(ctx: Ctx, from: Pick<ImportRow, 'tenant_id' | 'step' | 'lines_done'>, next: string): Promise<void> {
  const change = { step: next, lines_done: 0, updated_at: ctx.clock.now() }
  const isMine = await ctx.transaction(({ tx }) => updateImportStep(tx, from, change), asSystem(from.tenant_id))
  if (!isMine) throw elsewhere()
}
