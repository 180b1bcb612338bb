import {
  Closed,
  type Ctx,
  Described,
  defineSupport,
  fromNow,
  MINUTES,
  momentAfter,
  Nullable,
  OneOf,
  pickFields,
  SUPPORT_SHOWN,
  type SupportSubject,
  shownOf,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { listDeadAddresses } from './address-queries.ts'
import { comparable } from './new-mail.ts'
import { GlobalMail } from './schema.ts'
import { listGlobalMailsTo, listMailsTo, listSuppressionsOf } from './support-queries.ts'
import { DEAD_MS, deadKeyOf } from './suppressions.ts'

/** A mail that nobody has tried for so long: no worker is at it. */
const STUCK_MS = 5 * MINUTES

const { id, kind, status, reason, attempts, server_reply, sent_at, next_attempt_at, created_at } = GlobalMail.properties
const tenant_id = Nullable(Described(Uuid, 'The tenant that it is from; null: none'))
const Sent = Closed({
  tenant_id,
  id,
  kind,
  status,
  reason,
  attempts,
  server_reply,
  sent_at,
  next_attempt_at,
  created_at,
})
const Suppressed = Closed({
  tenant_id: Described(Uuid, 'The tenant whose mails do not go there'),
  reason: OneOf(['hard_bounce', 'complaint'], {
    description: '`hard_bounce`: nobody is there; `complaint`: its owner called a mail unwanted',
  }),
  server_reply,
  updated_at: Described(Timestamp, 'Since when'),
})
const Dead = Closed({
  bounced_at: Described(Timestamp, 'When a mail server said last that nobody is there'),
  server_reply,
})

/** Mails to the address with what its mail server said, and whether mails go there at all. */
export const mailSupport = defineSupport({
  name: 'mails',
  description: 'Mails to the address, and whether mails go there at all',
  roles: ['support', 'operations'],
  schema: Closed({
    mails: Type.Array(Sent, { description: 'The newest first. Neither their texts nor their subjects' }),
    suppressions: Type.Array(Suppressed, { description: 'Tenants whose mails do not go to the address' }),
    dead: Nullable(Type.With(Dead, { description: 'That nobody is at the address, for any tenant; null: not known' })),
  }),
  causes: {
    mail_bounced: {
      severity: 'high',
      likelihood: 88,
      do: 'Ask for the right address: the mail server of this one takes no mail for it. Its reply is in `mails`.',
    },
    address_suppressed: {
      severity: 'high',
      likelihood: 87,
      do: 'Once they say that the address works, somebody with `mail.manage` in the tenant takes it off the list (DELETE /mails/suppressions/:id). Mails without a tenant go out again 90 days after the bounce, those for the safety of an account a day after it.',
    },
    mail_failed: {
      severity: 'medium',
      likelihood: 66,
      do: 'The reply of the mail server in `mails` says what it did not like; mend that, and have the mail sent again.',
    },
    mail_delayed: {
      severity: 'medium',
      likelihood: 65,
      do: 'It is tried again by itself until a day after it was posted. `server_reply` says what the mail server wants.',
    },
    mail_waiting: {
      severity: 'medium',
      likelihood: 64,
      do: 'No worker has taken it up: see to it that workers run (`tenantry doctor`).',
    },
  },
  async read(ctx, subject) {
    const { mails, suppressions, dead } = await readAll(ctx, subject)
    const { rows, leftOut } = shownOf(mails)
    const listed = shownOf(suppressions)
    return {
      shown: {
        mails: rows.map((each) => pickFields(Sent, each)),
        suppressions: listed.rows,
        dead: dead && { bounced_at: dead.bounced_at, server_reply: dead.server_reply },
      },
      findings: [...lastOf(ctx, rows), ...suppressed({ rows, suppressions: listed.rows, dead })],
      leftOut: leftOut || listed.leftOut,
    }
  },
})

async function readAll({ tx, clock }: Ctx, { email, tenantId }: SupportSubject) {
  const address = comparable(email)
  const most = SUPPORT_SHOWN + 1
  const [own, global, suppressions, deads] = await Promise.all([
    listMailsTo(tx, address, tenantId, most),
    listGlobalMailsTo(tx, address, most),
    listSuppressionsOf(tx, address, tenantId, most),
    listDeadAddresses(tx, [deadKeyOf(address)]),
  ])
  const mails = [...own, ...global.map((mail) => ({ ...mail, tenant_id: null }))].sort((a, b) =>
    a.created_at < b.created_at ? 1 : -1,
  )
  const dead = deads.find(({ bounced_at }) => momentAfter(bounced_at, DEAD_MS) > clock.now()) ?? null
  return { mails, suppressions, dead }
}

type Known = Awaited<ReturnType<typeof readAll>>

/** What became of the newest mail: older ones are another story. */
function lastOf({ clock }: Ctx, [mail]: Known['mails']) {
  if (!mail) return []
  const { tenant_id: tenantId, kind, status, server_reply, next_attempt_at, created_at: at } = mail
  const said = server_reply === null ? 'without a word' : `saying “${server_reply}”`
  const found = (code: 'mail_bounced' | 'mail_failed' | 'mail_delayed' | 'mail_waiting', what: string) => [
    { code, tenantId, what: `The last mail (${kind}) ${what}.`, at },
  ]
  if (status === 'bounced') return found('mail_bounced', `came back from the address, ${said}`)
  if (status === 'failed') return found('mail_failed', `was not taken, ${said}`)
  if (status === 'deferred') return found('mail_delayed', `was not taken yet, ${said}`)
  // One that waits for a turn at its address says when that comes.
  const isStuck = status === 'queued' && (next_attempt_at ?? at) < fromNow(clock, -STUCK_MS)
  return isStuck ? found('mail_waiting', `has waited since ${at} and was not tried`) : []
}

interface Standing extends Pick<Known, 'suppressions' | 'dead'> {
  rows: Known['mails']
}

function suppressed({ rows, suppressions, dead }: Standing) {
  const code = 'address_suppressed' as const // as declared above
  const listed = suppressions.map(({ tenant_id: tenantId, reason, updated_at: at }) => {
    const why = reason === 'complaint' ? 'its owner called one unwanted' : 'nobody was there when one was sent'
    return { code, tenantId, what: `The tenant's mails do not go to the address since ${at}: ${why}.`, at }
  })
  if (!dead || listed.length > 0) return listed
  const what = `No mail goes to the address: a mail server said at ${dead.bounced_at} that nobody is there.`
  return [{ code, tenantId: rows[0]?.tenant_id ?? null, what, at: dead.bounced_at }]
}
