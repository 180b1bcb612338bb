import { defineModule } from '#kernel'
import { postOffice, sealedMails, sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { forgetPauses } from './pauses.ts'
import { mailboxRoutes } from './routes.ts'
import { unsubscribeRoutes } from './unsubscribe/routes.ts'

export { requireMail } from './jobs.ts'
export { listMailbox, type StoredMail } from './mailbox.ts'
export { endPause } from './pauses.ts'
export { safeName } from './safe-name.ts'

/** Sends mails: each is rendered and sent by a job after the commit, and retried until the mail server accepts it. */
export const mail = defineModule({
  name: 'mail',
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'mail.view': 'See the mails of the tenant, and the domain that they come from',
    'mail.manage': 'Send mails again, cancel them, and change what they come from',
  },
  routes: [...mailboxRoutes, ...unsubscribeRoutes],
  jobs: [sendMail],
  schedules: [forgetPauses],
  resources: [mailer],
  checks: [mailCheck],
  sealed: [sealedMails],
  postOffice,
  cases: () => import('./mail.cases.ts'),
})
