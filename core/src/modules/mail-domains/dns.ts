import { createResolveTxt, defineResource, type ResolveTxt, sha256 } from '#kernel'
import { mailDomainConfiguration } from './configuration.ts'
import { challengeText, type RecordKey, type RecordState, type Seen, stateOf, type WantedRecord } from './records.ts'

/** How the DNS of mail domains is asked. */
export const mailDns = defineResource<ResolveTxt>({
  name: 'mail_dns',
  create: ({ config }) => createResolveTxt({ servers: config.of(mailDomainConfiguration).MAIL_DNS_SERVERS }),
})

/** What a look-up found. */
export interface Found {
  seen: Seen
  /** Hashes of all challenges that stand there, also of other tenants. */
  shown: string[]
}

/** Looks up all records at once. Not within a transaction: it waits for servers of strangers. */
export async function lookUp(resolve: ResolveTxt, records: readonly WantedRecord[]): Promise<Found> {
  const looked = records.map(async (record) => {
    const answers = await Promise.all([record.name, ...record.elsewhere].map((name) => resolve(name)))
    const texts = answers.flatMap((answer) => (answer.isKnown ? answer.texts : []))
    return { record, texts, state: stateOf(record, answers) }
  })
  const found = await Promise.all(looked)
  const seen = Object.fromEntries(found.map(({ record, state }): [RecordKey, RecordState] => [record.key, state]))
  const challenges = found.find(({ record }) => record.key === 'verification')?.texts ?? []
  return { seen, shown: challenges.map((text) => hashOf(text.trim())) }
}

export const hashOfChallenge = (challenge: string): string => hashOf(challengeText(challenge))

const hashOf = (text: string) => sha256(text).toString('base64url')
