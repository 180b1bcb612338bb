import { defineModule } from '#kernel'
import { sendMail } from './jobs.ts'
import { mailCheck, mailer } from './mailer.ts'
import { forgetPauses } from './pausing.ts'
import { mailboxRoutes } from './routes.ts'

export { enqueueMail, type QueuedMail } from './jobs.ts'
export { endPause, type IfPaused } from './pausing.ts'

/** Mails to people: written from a template and sent by a job after commit, until the mail server takes them. */
export const mail = defineModule({
  name: 'mail',
  migrations: new URL('./migrations/', import.meta.url),
  resources: [mailer],
  jobs: [sendMail],
  schedules: [forgetPauses],
  routes: mailboxRoutes,
  checks: [mailCheck],
})
