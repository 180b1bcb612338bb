import { defineModule } from '#kernel'
import { deliverMail } from './delivery.ts'
import * as events from './events.ts'
import { sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { sealedMails } from './new-mail.ts'
import { forgetPauses } from './pauses.ts'
import { postOffice } from './post.ts'
import { reportRoutes } from './reports/routes.ts'
import { forgetMails } from './retention.ts'
import { mailboxRoutes } from './routes.ts'
import { logRoutes } from './routes-log.ts'
import { mailSupport } from './support.ts'
import { unsubscribeRoutes } from './unsubscribe/routes.ts'

export * from './events.ts'
export { pageGlobalMails, readGlobalMail, withdrawGlobalMails } from './log.ts'
export { listMailbox, type StoredMail } from './mailbox.ts'
export { endPause } from './pauses.ts'
export { requireMail } from './post.ts'
export { safeName } from './safe-name.ts'
export { GlobalMail, Mail, MailSuppression } from './schema.ts'

/** Sends mails: each is rendered and sent by a job after the commit, and retried until the mail server accepts it. */
export const mail = defineModule({
  name: 'mail',
  description: 'Mails that were posted, what became of them, and the addresses that they do not go to.',
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'mail.view': 'See mails, what became of them, and the domain that they come from',
    'mail.manage':
      'Send mails once more, cancel them, let mails go to an address again, and change the domain that they come from',
  },
  events: Object.values(events),
  routes: [...logRoutes, ...reportRoutes, ...unsubscribeRoutes, ...mailboxRoutes],
  jobs: [deliverMail, sendMail],
  schedules: [forgetPauses, forgetMails],
  resources: [mailer],
  checks: [mailCheck],
  sealed: [sealedMails],
  postOffice,
  exported: {
    // What mails are written from is sealed, and may hold links that sign somebody in.
    mails: {
      without: ['data', 'claimed_by', 'waits_turn'],
      imported: {
        // What had not left leaves from nowhere else.
        anew: (_tools, { status }) => ({
          waits_turn: false,
          next_attempt_at: null,
          status: status === 'queued' || status === 'deferred' ? 'canceled' : status,
        }),
      },
      // What it says is gone: nothing leaves once more.
      restored: {
        isMissingOnly: true,
        keepsExtra: true,
        missing: async (_ctx, rows) =>
          rows.map(({ status }) => ({
            waits_turn: false,
            next_attempt_at: null,
            status: status === 'queued' || status === 'deferred' ? 'canceled' : status,
          })),
      },
    },
    mail_suppressions: 'whole',
  },
  support: [mailSupport],
  cases: () => import('./mail.cases.ts'),
})
