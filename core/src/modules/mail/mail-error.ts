/** A mail was not accepted. The message contains no address, no credential and nothing of the mail. */
export class MailError extends Error {
  override name = 'MailError'
  /** True when another attempt cannot succeed: the server answered 5xx, or the address is invalid. */
  readonly isPermanent: boolean

  constructor(message: string, isPermanent: boolean) {
    super(message)
    this.isPermanent = isPermanent
  }
}
