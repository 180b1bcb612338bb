/** The built-in pages that an application may replace, by their paths. */
export type PagePath =
  | '/verify-email'
  | '/reset-password'
  | '/accept-invite'
  | '/forgot-password'
  | '/sign-in'
  | '/unsubscribe'

/** Where each page is: a path under the public address, or a whole URL; `{token}` stands where a token goes. */
export type Pages = Readonly<Record<PagePath, string>>

/** The address of a page, a built-in one or any other under the public address, with its token if it has one. */
export function linkTo(place: { publicUrl: string; pages?: Pages }, page: `/${string}`, token?: string): string {
  const pages: Readonly<Record<string, string>> = place.pages ?? {}
  const template = pages[page] ?? page
  const address = template.startsWith('/') ? `${place.publicUrl}${template}` : template
  if (address.includes('{token}')) return address.replaceAll('{token}', encodeURIComponent(token ?? ''))
  if (token === undefined) return address
  return `${address}${address.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`
}
