import { Value } from 'typebox/value'
import { type Ctx, normalizeEmail } from '#kernel'
import { Slug } from '../../tenants/index.ts'
import type { Manifest } from '../content/manifest.ts'
import { ImportRefused } from '../reading/refused.ts'
import { findPlan } from './said.ts'
import type { ImportOptions } from './steps.ts'

/** What is asked for, as it is kept until the import is complete. */
export interface Wishes {
  slug: string
  /** Normalised. */
  owner: string | null
  plan: string | null
}

/** Throws `ImportRefused` for a slug, an address or a plan that there cannot be. */
export async function checkWishes(
  ctx: Ctx,
  { tenant }: Manifest,
  { slug, owner, plan }: ImportOptions,
): Promise<Wishes> {
  const wanted = slug ?? tenant.slug
  if (!Value.Check(Slug, wanted))
    throw new ImportRefused(`the slug ${wanted} ${saysOf(wanted)}: choose one with --slug`)
  const email = owner === null ? null : normalizeEmail(owner)
  if (owner !== null && email === null) throw new ImportRefused(`${owner} is no e-mail address`)
  if (plan !== null && !(await findPlan(ctx, { code: plan }))?.isActive)
    throw new ImportRefused(`there is no plan ${plan} to be chosen`)
  return { slug: wanted, owner: email, plan }
}

const saysOf = (slug: string) =>
  /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) && slug.length >= 3 && slug.length <= 63
    ? 'is reserved, or has the form of an id'
    : 'is none: it is 3 to 63 lower-case letters and digits, with single hyphens between them'
