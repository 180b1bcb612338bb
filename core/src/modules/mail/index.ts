import { defineModule } from '#kernel'
import { sealedMails, sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { forgetPauses } from './pausing.ts'
import { mailboxRoutes } from './routes.ts'

export { enqueueMail, type QueuedMail, requireMail } from './jobs.ts'
export { listMailbox, type StoredMail } from './mailbox.ts'
export { endPause, type IfPaused } from './pausing.ts'

/** Mails to people: written from a template and sent by a job after commit, until the mail server takes them. */
export const mail = defineModule({
  name: 'mail',
  migrations: new URL('./migrations/', import.meta.url),
  resources: [mailer],
  jobs: [sendMail],
  sealed: [sealedMails],
  schedules: [forgetPauses],
  routes: mailboxRoutes,
  checks: [mailCheck],
})
