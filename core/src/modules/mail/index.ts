import { defineModule } from '#kernel'
import { postOffice, sealedMails, sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { forgetPauses } from './pauses.ts'
import { mailboxRoutes } from './routes.ts'

export { requireMail } from './jobs.ts'
export { listMailbox, type StoredMail } from './mailbox.ts'
export { endPause } from './pauses.ts'

/** Brings mails out: what modules send is laid out and sent by a job after commit, until the mail server takes it. */
export const mail = defineModule({
  name: 'mail',
  migrations: new URL('./migrations/', import.meta.url),
  routes: mailboxRoutes,
  jobs: [sendMail],
  schedules: [forgetPauses],
  resources: [mailer],
  checks: [mailCheck],
  sealed: [sealedMails],
  postOffice,
})
