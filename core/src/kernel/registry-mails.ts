import type { MailDefinition, MailOverride } from './mails/define.ts'
import type { Module } from './module.ts'
import { problemsOfSchema } from './registry-schemas.ts'
import { canonicalLocale } from './text/places.ts'

/** Every kind of mail with its texts, including overrides of modules. */
export function collectMails(modules: readonly Module[], problems: string[]): Map<string, MailDefinition> {
  const mails = new Map<string, MailDefinition>()
  const owners = new Map<string, string>()
  for (const { mail, module } of listed(modules, isDefinition)) {
    const other = owners.get(mail.kind)
    if (other) problems.push(`two mails are named ${mail.kind}: in ${other} and ${module}`)
    problems.push(...problemsOf(mail).map((problem) => `mail ${mail.kind} (${module}) ${problem}`))
    mails.set(mail.kind, mail)
    owners.set(mail.kind, module)
  }
  override(mails, listed(modules, isOverride), problems)
  const isBrought = modules.some(({ postOffice }) => postOffice !== undefined)
  if (!isBrought)
    for (const [kind, module] of owners)
      problems.push(`mail ${kind} (${module}) can be sent by nobody: no module fills the slot postOffice`)
  return mails
}

function override(
  mails: Map<string, MailDefinition>,
  overrides: { mail: MailOverride; module: string }[],
  problems: string[],
): void {
  const owners = new Map<string, string>()
  for (const {
    mail: { overrides: mail, texts },
    module,
  } of overrides) {
    const known = mails.get(mail.kind)
    const other = owners.get(mail.kind)
    if (!known) problems.push(`module ${module} overrides the mail ${mail.kind}, which no module lists`)
    if (other) problems.push(`two modules override the mail ${mail.kind}: ${other} and ${module}`)
    problems.push(...problemsOfTexts(texts).map((problem) => `module ${module}, for the mail ${mail.kind}, ${problem}`))
    // The first text stays first, because it is used for all other languages.
    if (known) mails.set(mail.kind, { ...known, texts: { ...known.texts, ...texts } })
    owners.set(mail.kind, module)
  }
}

type Listed = Module['mails'][number]
const isDefinition = (mail: Listed): mail is MailDefinition => 'kind' in mail
const isOverride = (mail: Listed): mail is MailOverride => 'overrides' in mail

function listed<T extends Listed>(modules: readonly Module[], is: (mail: Listed) => mail is T) {
  return modules.flatMap(({ name, mails }) => mails.filter(is).map((mail) => ({ mail, module: name })))
}

function problemsOf({ kind, data, texts, pause }: MailDefinition): string[] {
  const problems = [...problemsOfTexts(texts), ...new Set(problemsOfSchema(data))]
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/.test(kind)) problems.unshift('has a name that is not like rent.reminder')
  if (pause && !(pause.minutes > 0)) problems.push('has a pause that is no number of minutes')
  return problems
}

function problemsOfTexts(texts: MailDefinition['texts']): string[] {
  const languages = Object.keys(texts)
  if (languages.length === 0) return ['has no text in any language']
  return languages
    .filter((tag) => canonicalLocale(tag) !== tag)
    .map((tag) => `has a text in the unknown language ${tag}`)
}
