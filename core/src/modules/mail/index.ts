import { defineModule } from '#kernel'
import { deliverMail } from './delivery.ts'
import * as events from './events.ts'
import { sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { sealedMails } from './new-mail.ts'
import { forgetPauses } from './pauses.ts'
import { postOffice } from './post.ts'
import { mailboxRoutes } from './routes.ts'
import { unsubscribeRoutes } from './unsubscribe/routes.ts'

export * from './events.ts'
export { listMailbox, type StoredMail } from './mailbox.ts'
export { endPause } from './pauses.ts'
export { requireMail } from './post.ts'
export { safeName } from './safe-name.ts'

/** Sends mails: each is rendered and sent by a job after the commit, and retried until the mail server accepts it. */
export const mail = defineModule({
  name: 'mail',
  description: 'Mails that were posted, what became of them, and the addresses that they do not go to.',
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'mail.view': 'See mails, what became of them, and the domain that they come from',
    'mail.manage':
      'Send mails once more, cancel them, let mails go to an address again, and change the domain that they come from',
  },
  events: Object.values(events),
  routes: [...mailboxRoutes, ...unsubscribeRoutes],
  jobs: [deliverMail, sendMail],
  schedules: [forgetPauses],
  resources: [mailer],
  checks: [mailCheck],
  sealed: [sealedMails],
  postOffice,
  cases: () => import('./mail.cases.ts'),
})
