import { errorCode } from '../system-errors.ts'
import { FileMissing, InvalidFileKey, StorageDamaged, StorageFailed, StorageFull } from './storage.ts'

const ADVICE: readonly [reasons: RegExp, says: string][] = [
  [/^NoSuchBucket$/, 'There is no such bucket: create it, or correct S3_BUCKET.'],
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|TokenRefreshRequired|Unauthorized|InvalidSecurity)/,
    'The credentials are not right: correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.',
  ],
  [
    /^(CredentialsProviderError|TokenProviderError|ProviderError)$/,
    'No credentials were found: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or give this machine a role.',
  ],
  [
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|InvalidRegion|30\d)/,
    'The bucket is in another region: correct S3_REGION and S3_ENDPOINT.',
  ],
  [
    /^(AccessDenied|AllAccessDisabled|Forbidden|403)/,
    'The credentials do not allow it: they must be allowed to read, write, delete and list in the bucket of S3_BUCKET.',
  ],
  [/^RequestTimeTooSkewed$/, 'The clock of this machine is wrong: synchronise it (NTP).'],
  [/CERT|SELF_SIGNED|TLS|SSL/, 'Its certificate is not trusted: correct S3_ENDPOINT, or see to the certificate.'],
  [
    /^(E[A-Z_]+|TimeoutError|UND_ERR\w*)$/,
    'It does not answer: look at S3_ENDPOINT and S3_REGION, and at the network between.',
  ],
]

const FULL = /InsufficientStorage|StorageFull|QuotaExceeded|CapExceeded|cap_exceeded|InsufficientCapacity/i
/** What a server calls an error is shown when it looks like a name. */
const NAME = /^[A-Za-z][A-Za-z\d_.]{1,60}$/

/**
 * An error of our own for one of the SDK. The text, fields and causes of the SDK's are not taken over: a refusal repeats
 * the key's id and all that was signed.
 */
export function storageError(error: unknown, key?: string): Error {
  if ([FileMissing, InvalidFileKey, StorageDamaged, StorageFailed, StorageFull].some((own) => error instanceof own))
    return error as Error // one of those classes
  const reason = reasonOf(error)
  if (key !== undefined && isNoSuchKey(error)) return new FileMissing(key)
  if (statusOf(error) === 507 || FULL.test(reason)) return new StorageFull()
  const says = ADVICE.find(([reasons]) => reasons.test(reason))?.[1] ?? 'It may be well again in a moment.'
  return new StorageFailed(`The bucket for files failed (${reason}). ${says}`, reason)
}

/** Whether the file is missing, and not the bucket. A HEAD says "not found" of both; see `isNotFound`. */
export const isNoSuchKey = (error: unknown): boolean => reasonOf(error) === 'NoSuchKey'

/** Whether a HEAD said that something is missing, without saying what. */
export const isNotFound = (error: unknown): boolean =>
  statusOf(error) === 404 && !['NoSuchKey', 'NoSuchBucket'].includes(reasonOf(error))

/** Whether a range begins beyond the end of a file. */
export const isBeyondEnd = (error: unknown): boolean => statusOf(error) === 416

function statusOf(error: unknown): number | undefined {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: unknown } } // whatever was thrown
  return typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined
}

function reasonOf(error: unknown): string {
  const code = errorCode(error)
  if (code !== undefined && NAME.test(code)) return code
  const { name } = (error ?? {}) as { name?: unknown } // whatever was thrown
  const status = statusOf(error)
  // Answers without a body, and pages of proxies, have no better name than their status.
  const isNamed = typeof name === 'string' && NAME.test(name) && !['Error', 'Unknown', 'UnknownError'].includes(name)
  if (isNamed) return name
  return status === undefined ? 'unknown' : `${status}`
}
