import {
  at,
  Closed,
  Described,
  type FieldProblem,
  Nullable,
  OneOf,
  type TSchema,
  Type,
  type Unchecked,
  Uuid,
} from '#kernel'
import { PlanChange } from '../../subscriptions/index.ts'
import { Suspension, TrialExtension } from '../schema.ts'

/** Things that one request acts on. */
const MOST = 500

const dryRun = Type.Boolean({ description: 'true: only say what would be done. Nothing is left behind' })
const action = <const W extends readonly string[]>(words: W) => OneOf(words, { description: 'What to do to each' })
const ids = (of: string) =>
  Type.Array(Uuid, {
    minItems: 1,
    maxItems: MOST,
    uniqueItems: true,
    description: `Each by itself, in this order: ${of}`,
  })
/** The same with what it is needed for. */
const forAction = <T extends TSchema>(schema: T, name: string) =>
  Type.Optional(Described(schema, `For \`${name}\`, and for nothing else`))

export const BulkOfTenants = Closed(
  {
    action: action(['suspend', 'reactivate', 'extend-trial', 'change-plan']),
    ids: ids('tenants'),
    reason: forAction(Suspension.properties.reason, 'suspend'),
    days: forAction(TrialExtension.properties.days, 'extend-trial'),
    plan_id: forAction(PlanChange.properties.plan_id, 'change-plan'),
    at: Type.Optional(PlanChange.properties.at),
    dry_run: dryRun,
  },
  {
    title: 'BulkOfTenants',
    examples: [
      {
        action: 'suspend',
        ids: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'],
        reason: 'Card testing from this account',
        dry_run: true,
      },
    ],
  },
)
export type BulkOfTenants = Type.Static<typeof BulkOfTenants>

export const BulkOfUsers = Closed(
  { action: action(['disable', 'enable', 'revoke-sessions']), ids: ids('people'), dry_run: dryRun },
  { title: 'BulkOfUsers' },
)
export type BulkOfUsers = Type.Static<typeof BulkOfUsers>

export const BulkOfJobs = Closed(
  { action: action(['retry', 'delete']), ids: ids('jobs'), dry_run: dryRun },
  { title: 'BulkOfJobs' },
)
export type BulkOfJobs = Type.Static<typeof BulkOfJobs>

export const BulkAnswer = Closed(
  {
    dry_run: Type.Boolean({ description: 'true: nothing was done, and `outcome` is what would have become of each' }),
    data: Type.Array(
      Closed({
        id: Described(Uuid, 'What was acted on'),
        outcome: OneOf(['done', 'unchanged', 'refused'], {
          description: '`unchanged`: it is as it should be already',
        }),
        code: Nullable(
          Type.String({
            description:
              'Why it was refused: the `code` that the act alone is answered with; `not_tried` where the time for one request was over',
            examples: ['conflict'],
          }),
        ),
        detail: Nullable(Type.String({ description: 'The same in a sentence for people' })),
      }),
      { description: 'Each once, in the order of `ids`' },
    ),
  },
  { title: 'BulkAnswer', description: 'What became of each of many' },
)
export type BulkAnswer = Type.Static<typeof BulkAnswer>
export type BulkOutcome = BulkAnswer['data'][number]

const NEEDED = { suspend: 'reason', 'extend-trial': 'days', 'change-plan': 'plan_id' } as const // names of fields
const ONLY_FOR = { reason: 'suspend', days: 'extend-trial', plan_id: 'change-plan', at: 'change-plan' } as const // as above

/** What an action needs, and what it has no use for. */
export function* checkBulkOfTenants(body: Unchecked<BulkOfTenants>): Generator<FieldProblem> {
  const { action } = body
  if (typeof action !== 'string') return
  const needed = Object.entries(NEEDED).find(([name]) => name === action)?.[1]
  if (needed && body[needed] === undefined) yield at(needed, `is needed for ${action}`)
  for (const [field, name] of Object.entries(ONLY_FOR))
    if (body[field as keyof typeof ONLY_FOR] !== undefined && name !== action) yield at(field, `is for ${name} alone`) // its keys
}
