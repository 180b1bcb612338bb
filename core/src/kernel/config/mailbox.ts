import type { Config } from './config.ts'

/** True where mails are kept on this machine's disk for a developer to read, in place of being sent: never in production. */
export function hasMailbox({ env, mail }: Config): boolean {
  return env !== 'production' && !mail.off && mail.smtpUrl === null
}
