import {
  Closed,
  CreatedAt,
  Described,
  Email,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { MAX_DOMAIN_LENGTH } from './names.ts'
import { PROBLEMS } from './table.ts'

const moment = (description: string) => Nullable(Type.String({ format: 'date-time', description }))
const domain = Type.String({ description: 'In ASCII, as DNS has it', examples: ['example.com'] })
const from_address = Type.String({ description: 'What mails come from', examples: ['no-reply@example.com'] })
const status = OneOf(['pending', 'verified', 'failing'], {
  description:
    '`verified`: mails come from it. `pending`: not yet; `failing`: not any more, since DNS is not as it was. In both, mails come from the address of the installation',
})
const rotation = OneOf(['none', 'waiting', 'overlap'], {
  description:
    '`waiting`: the next key signs as soon as DNS shows it. `overlap`: it does, and the record of the previous one must stay until `previous_key_until`',
})

export const MailDomainRecord = Closed(
  {
    purpose: OneOf(['verification', 'dkim_current', 'dkim_next', 'dkim_previous', 'dmarc', 'spf'], {
      description:
        '`verification`: proves whose the domain is; `dkim_current`: the key that signs; `dkim_next`: the one that follows when it is rotated; `dkim_previous`: leave it for mails under way; `dmarc`: what receivers do with mails that are not signed; `spf`: who may send',
    }),
    type: OneOf(['TXT'], { description: 'The type of the record' }),
    name: Type.String({ description: 'The whole name', examples: ['_mail-domain.example.com'] }),
    value: Type.String({
      description: 'What to copy, as one text. Some panels want texts above 255 characters in parts, each in quotes',
      examples: ['mail-domain-verification=3q2-7w'],
    }),
    required: Type.Boolean({ description: 'Whether mails come from the domain only while it is found' }),
    state: OneOf(['unknown', 'found', 'missing', 'different', 'unreachable'], {
      description:
        'As last seen. `unknown`: not looked up yet; `different`: something else stands there, or more than one; `unreachable`: no name server said',
    }),
  },
  { title: 'MailDomainRecord', description: 'A record to be copied into the DNS of the domain' },
)
export type MailDomainRecord = Static<typeof MailDomainRecord>

export const MailDomain = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    domain,
    status,
    from_address,
    records: Type.Array(MailDomainRecord, { description: 'What to copy into DNS, and what was seen there' }),
    rotation,
    previous_key_until: moment('Until when the record of the previous key must stay; null: there is none'),
    error: Nullable(
      Type.String({
        description: 'Why mails do not come from it; null: they do',
        examples: ['DNS does not show that the domain is yours.'],
      }),
    ),
    last_checked_at: moment('When DNS was last asked; null: not yet'),
    next_check_at: moment('When it is asked again by itself; null: not any more, until you ask'),
    verified_at: moment('Since when mails come from it; null: they do not'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'MailDomain', description: "The tenant's own domain that its mails come from" },
)
export type MailDomain = Static<typeof MailDomain>

export const MailDomainPatch = Patch(
  {
    domain: Type.String({
      minLength: 1,
      maxLength: MAX_DOMAIN_LENGTH,
      description:
        'A domain of the tenant, which the first request needs. Another one than before begins anew, with other keys',
      examples: ['example.com'],
    }),
    from_address: Nullable(Described(Email, 'What mails come from, in that domain; null: its no-reply')),
  },
  { title: 'MailDomainPatch' },
)
export type MailDomainPatch = Static<typeof MailDomainPatch>

/** A domain as audit records keep it: neither keys nor what stands in DNS. */
export const MailDomainChange = Closed({
  tenant_id: Uuid,
  id: Uuid,
  domain,
  status,
  from_address,
  signing_selector: Type.String(),
  rotation,
  problem: Nullable(OneOf(PROBLEMS)),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type MailDomainChange = Static<typeof MailDomainChange>
