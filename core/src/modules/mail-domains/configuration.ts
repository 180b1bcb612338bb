import { createPrivateKey } from 'node:crypto'
import { defineConfiguration, kinds, normalizeDomain, readAddress } from '#kernel'

export const mailDomainConfiguration = defineConfiguration(
  {
    MAIL_DKIM_SELECTOR: {
      kind: selector(),
      default: null,
      description:
        'Selector of the key in `MAIL_DKIM_PRIVATE_KEY`: its record is `<selector>._domainkey.<domain of MAIL_FROM>`.',
    },
    MAIL_DKIM_PRIVATE_KEY: {
      kind: privateKey(),
      default: null,
      secret: true,
      description:
        "Signs mails that come from `MAIL_FROM` (DKIM). Unset: they leave unsigned, which is right where the mail server signs. A tenant's own domain has keys of its own.",
    },
    MAIL_SPF_INCLUDE: {
      kind: hostName(),
      default: null,
      description:
        'What your mail provider wants included in SPF, such as `_spf.provider.example`: tenants with a domain of their own are advised to add it.',
    },
    MAIL_DNS_SERVERS: {
      kind: nameServers(),
      default: null,
      description: "Name servers that are asked about tenants' mail domains. Default: those of the machine.",
    },
  },
  ({ MAIL_DKIM_SELECTOR: name, MAIL_DKIM_PRIVATE_KEY: key }) =>
    (name === null) === (key === null)
      ? []
      : ['MAIL_DKIM_SELECTOR and MAIL_DKIM_PRIVATE_KEY are set together, or not at all.'],
)

function selector() {
  return {
    accepts: 'label of a domain name',
    parse(text: string): string {
      if (/^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(text)) return text
      throw new kinds.InvalidSetting('must be one label of a domain name, such as mail2026')
    },
  }
}

/** Without its first and last line, since a setting has no spaces; the PEM text is what signs. */
function privateKey() {
  return {
    accepts: 'RSA key, PKCS #8 in base64: the lines of a PEM file between the first and the last, joined',
    parse(text: string): string {
      const key = readKey(text)
      const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0
      if (key?.asymmetricKeyType !== 'rsa' || bits < 2048)
        throw new kinds.InvalidSetting('must be an RSA key of 2048 bits or more, PKCS #8 in base64 without spaces')
      return key.export({ type: 'pkcs8', format: 'pem' }).toString()
    },
  }
}

function readKey(text: string) {
  try {
    return createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
}

function hostName() {
  return {
    accepts: 'host name',
    parse(text: string): string {
      // Names of SPF records begin with underscores, which those of hosts do not have.
      const plain = normalizeDomain(text.replace(/(^|\.)_/g, '$1'))
      if (plain === null) throw new kinds.InvalidSetting('must be a host name such as _spf.provider.example')
      return text.toLowerCase()
    },
  }
}

function nameServers() {
  return {
    accepts: 'IP addresses, each with a port if it is not 53, comma-separated',
    parse(text: string): readonly string[] {
      const servers = text.split(',').map((item) => item.trim())
      if (servers.every((server) => /^[\d.:[\]a-f]+$/i.test(server) && readAddress(server) !== undefined))
        return servers
      throw new kinds.InvalidSetting('must list IP addresses such as 9.9.9.9 or [2620:fe::fe]:53, separated by commas')
    },
  }
}
