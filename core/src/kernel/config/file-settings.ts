import { baseUrl, bucketName, flag, oneOf, region, secret } from './kinds.ts'
import { setting } from './setting.ts'

/** Where files are. */
export const fileSettings = {
  FILE_STORAGE_BACKEND: setting(
    'Files',
    oneOf('local', 's3'),
    { default: 'local' },
    'Where new files go: `local` is `DATA_DIR/files`, `s3` the bucket of `S3_BUCKET`. Files that are elsewhere stay there and are still read, as long as the settings say where: keep those of the bucket set when you go back to `local`.',
  ),
  S3_BUCKET: setting(
    'Files',
    bucketName(),
    { default: null, example: 'example-files' },
    'Bucket of files, for this installation alone; it must exist and not be public. Needed with `FILE_STORAGE_BACKEND=s3`. Needs `S3_ENDPOINT`, `S3_REGION` or both.',
  ),
  S3_ENDPOINT: setting(
    'Files',
    baseUrl(),
    { default: null, example: 'https://s3.example.com' },
    'Address of the provider’s S3 interface, without the bucket, which is put into the path. Unset: AWS.',
  ),
  S3_REGION: setting(
    'Files',
    region(),
    { default: null, example: 'eu-central-1' },
    'Region of the bucket, as the provider calls it; needed for AWS. Default with `S3_ENDPOINT`: `us-east-1`.',
  ),
  S3_ACCESS_KEY_ID: setting(
    'Files',
    secret(),
    { default: null, secret: true },
    'Name of the key by which the bucket is used; it must allow to read, write, delete and list. Needs `S3_SECRET_ACCESS_KEY`. Unset: the SDK of AWS looks where it always does, at its own variables and files and the role of the machine.',
  ),
  S3_SECRET_ACCESS_KEY: setting(
    'Files',
    secret(),
    { default: null, secret: true },
    'The secret of `S3_ACCESS_KEY_ID`.',
  ),
  S3_CHECKSUMS: setting(
    'Files',
    oneOf('when_required', 'when_supported'),
    { default: 'when_required' },
    'Whether requests carry the checksums of newer SDKs. `when_supported` is refused by many providers other than AWS. Either way every file is read again after it was written, and compared by SHA-256.',
  ),
  AUDIT_ARCHIVE: setting(
    'Files',
    flag(),
    { default: 'false' },
    'Keep what the retention of audit records removes: each tenant’s months as compressed files of the file storage, in the folder `audit`.',
  ),
}
