import { Closed, defineMail, HOURS, MINUTES, Nullable, OneOf, Timestamp, Type } from '#kernel'

const ENGLISH = {
  not_proven: 'The record that proves that the domain is yours is not there any more.',
  key_missing: 'The key that your mails are signed with is not there any more.',
  taken: 'Another company has proven that the domain is theirs.',
  unreachable: 'The name servers of the domain have not answered for a day.',
}
const GERMAN: typeof ENGLISH = {
  not_proven: 'Der Eintrag, der zeigt, dass die Domain Ihnen gehört, fehlt.',
  key_missing: 'Der Schlüssel, mit dem Ihre E-Mails unterschrieben werden, fehlt.',
  taken: 'Ein anderes Unternehmen hat gezeigt, dass die Domain ihm gehört.',
  unreachable: 'Die Nameserver der Domain haben einen Tag lang nicht geantwortet.',
}

/** Tells the owners that their domain does not work any more. Once in twelve hours, however often DNS comes and goes. */
export const mailDomainFailingMail = defineMail('mail_domain_failing', {
  data: Closed({
    name: Type.Optional(Nullable(Type.String({ examples: ['Ann'] }))),
    tenantName: Type.String({ examples: ['Acme'] }),
    domain: Type.String({ examples: ['example.com'] }),
    problem: OneOf(['not_proven', 'key_missing', 'taken', 'unreachable']),
    at: Timestamp,
  }),
  pause: { minutes: (12 * HOURS) / MINUTES, per: 'tenant' },
  texts: {
    en: ({ data: { name, tenantName, domain, problem, at }, greet, safeName, time }) => ({
      subject: `Mails of ${safeName(tenantName, 'your company')} do not come from ${domain} any more`,
      greeting: greet(name),
      paragraphs: [
        `On ${time(at)} the DNS of ${domain} did not show what it should. ${ENGLISH[problem]}`,
        'Your mails are still sent, from our address. They come from your domain again by themselves once its records are there; the settings of your company show which ones.',
      ],
      closing: 'You receive this mail because you are an owner of the company.',
    }),
    de: ({ data: { name, tenantName, domain, problem, at }, greet, safeName, time }) => ({
      subject: `E-Mails von ${safeName(tenantName, 'Ihrem Unternehmen')} kommen nicht mehr von ${domain}`,
      greeting: greet(name, 'Guten Tag'),
      paragraphs: [
        `Am ${time(at)} stand im DNS von ${domain} nicht, was dort stehen soll. ${GERMAN[problem]}`,
        'Ihre E-Mails werden weiterhin verschickt, von unserer Adresse. Sie kommen von selbst wieder von Ihrer Domain, sobald deren Einträge da sind; welche das sind, steht in den Einstellungen Ihres Unternehmens.',
      ],
      closing: 'Sie erhalten diese E-Mail, weil Ihnen das Unternehmen gehört.',
    }),
  },
})
