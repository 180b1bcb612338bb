import { createHmac } from 'node:crypto'
import { type Ctx, equalSecrets } from '#kernel'

const PURPOSE = 'exports of tenants'

/** What proves to this installation, and to no other one, that it wrote a manifest; and with that every checksum in it. */
export const sealOf = ({ secrets }: Pick<Ctx, 'secrets'>, manifest: string): string =>
  sealWith(secrets.derive(PURPOSE), manifest)

/** Whether this installation wrote a manifest, under the secret of now or an earlier one. */
export const isSealed = ({ secrets }: Pick<Ctx, 'secrets'>, manifest: string, seal: string): boolean =>
  secrets.deriveAll(PURPOSE).some((key) => equalSecrets(sealWith(key, manifest), seal.trim()))

const sealWith = (key: Buffer, manifest: string) => createHmac('sha256', key).update(manifest).digest('hex')
