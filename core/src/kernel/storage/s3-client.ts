import type { S3ClientConfig } from '@aws-sdk/client-s3'
import { SECONDS } from '../clock.ts'
import type { S3Config } from '../config/config.ts'

const CONNECT_MS = 5 * SECONDS
/** Until an answer begins; the sending of a part is within it. */
const ANSWER_MS = 120 * SECONDS
/** Without a byte in either direction. */
const SILENCE_MS = 60 * SECONDS
const MAX_ATTEMPTS = 4
/** Of our own work. */
const MAX_SOCKETS = 200
/** Of what clients read: each holds one for as long as it reads. */
const MAX_CLIENT_SOCKETS = 1_000

/** The SDK with a client for the bucket. */
export type S3Connection = Awaited<ReturnType<typeof connectS3>>

/** Loads the SDK, which nobody waits for whose files are on the disk. Nothing is sent yet. */
export async function connectS3(config: S3Config) {
  const [sdk, { Upload }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/lib-storage'),
    import('@aws-sdk/s3-request-presigner'),
  ])
  const client = new sdk.S3Client(clientConfig(config))
  const forClients = new sdk.S3Client(clientConfig(config, MAX_CLIENT_SOCKETS))
  // What is signed for others must not contain the checksum of a body that is not there yet.
  const signer =
    config.checksums === 'when_required'
      ? client
      : new sdk.S3Client(clientConfig({ ...config, checksums: 'when_required' }))
  return {
    sdk,
    Upload,
    client,
    /** Reads for clients. They wait for each other at worst, and for nothing else; nothing else waits for them. */
    forClients,
    presign: (command: InstanceType<typeof sdk.PutObjectCommand>, options: Parameters<typeof getSignedUrl>[2]) =>
      getSignedUrl(signer, command, options),
    close() {
      client.destroy()
      forClients.destroy()
      signer.destroy()
    },
  }
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

function clientConfig(config: S3Config, maxSockets = MAX_SOCKETS): S3ClientConfig {
  const { endpoint, region, accessKeyId, secretAccessKey, checksums } = config
  const checksum = checksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  const agent = { keepAlive: true, maxSockets }
  return {
    region,
    // Other providers than AWS seldom have a host name for each bucket.
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    // Otherwise the SDK looks where it always does: roles of the machine, its own variables and files.
    ...(accessKeyId !== null && secretAccessKey !== null ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    requestChecksumCalculation: checksum,
    responseChecksumValidation: checksum,
    expectContinueHeader: false,
    maxAttempts: MAX_ATTEMPTS,
    // It would write to the console.
    logger: silent,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SILENCE_MS,
      httpAgent: agent,
      httpsAgent: agent,
      logger: silent,
    },
  }
}
