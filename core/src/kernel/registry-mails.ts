import type { MailDefinition } from './mails/define.ts'
import type { Messages } from './messages/catalogue.ts'
import type { Module } from './module.ts'
import { problemsOfSchema } from './registry-schemas.ts'

/** Every kind of mail, each of which has texts. */
export function collectMails(
  modules: readonly Module[],
  messages: Messages,
  problems: string[],
): Map<string, MailDefinition> {
  const mails = new Map<string, MailDefinition>()
  const owners = new Map<string, string>()
  for (const { mail, module } of modules.flatMap(({ name, mails }) => mails.map((mail) => ({ mail, module: name })))) {
    const other = owners.get(mail.kind)
    if (other) problems.push(`two mails are named ${mail.kind}: in ${other} and ${module}`)
    problems.push(...problemsOf(mail, messages).map((problem) => `mail ${mail.kind} (${module}) ${problem}`))
    mails.set(mail.kind, mail)
    owners.set(mail.kind, module)
  }
  const isBrought = modules.some(({ postOffice }) => postOffice !== undefined)
  if (!isBrought)
    for (const [kind, module] of owners)
      problems.push(`mail ${kind} (${module}) can be sent by nobody: no module fills the slot postOffice`)
  return mails
}

function problemsOf({ kind, data, pause, action }: MailDefinition, messages: Messages): string[] {
  const problems = [...new Set(problemsOfSchema(data))]
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/.test(kind))
    return ['has a name that is not like rent.reminder', ...problems]
  const label = `mail.${kind}.action`
  for (const code of [`mail.${kind}.subject`, `mail.${kind}.body`, ...(action ? [label] : [])])
    if (!messages.has(code)) problems.push(`has no message ${code}: write it into en.json of its module`)
  if (!action && messages.has(label)) problems.push(`has the message ${label} and no action that it leads to`)
  if (pause && !(pause.minutes > 0)) problems.push('has a pause that is no number of minutes')
  return problems
}
