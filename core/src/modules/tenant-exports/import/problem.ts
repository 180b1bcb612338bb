/** An export that is not read into this installation, and why; nothing of it was written. */
export class ImportRefused extends Error {
  override name = 'ImportRefused'
}
