const LABELS: Readonly<Record<string, string>> = {
  en: 'No more mails like this one',
  de: 'Keine solchen E-Mails mehr',
}

/** What the link says, in the language of the mail's text. */
export function unsubscribeLabel(language: string): string {
  return LABELS[language.split('-')[0] ?? ''] ?? LABELS.en ?? ''
}
