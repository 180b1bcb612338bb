import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  baseUrl,
  cidrs,
  clamdUrl,
  decimal,
  duration,
  host,
  InvalidSetting,
  integer,
  type Kind,
  mailAddress,
  mailSwitch,
  origins,
  redisUrl,
  secrets,
  text,
  url,
} from './kinds.ts'

interface Case {
  kind: Kind<unknown>
  takes: [text: string, value: unknown][]
  refuses: string[]
}

const cases: Record<string, Case> = {
  'whole numbers': {
    kind: integer(1, 100),
    takes: [
      ['1', 1],
      ['100', 100],
    ],
    refuses: ['0', '101', '1.5', '-1', '1e2', '0x10', 'ten', '9'.repeat(30)],
  },
  'decimal numbers': {
    kind: decimal(0, 1000),
    takes: [
      ['0', 0],
      ['0.5', 0.5],
      ['1000', 1000],
    ],
    refuses: ['-1', '1001', 'NaN', 'Infinity', '1,5', '.5'],
  },
  durations: {
    kind: duration('1s', '30d'),
    takes: [
      ['600', 600],
      ['90s', 90],
      ['10m', 600],
      ['48h', 172_800],
      ['30d', 2_592_000],
    ],
    refuses: ['0', '31d', '10 minutes', '-5m', '1.5h', 'm', '10w'],
  },
  origins: {
    kind: origins(),
    takes: [
      ['', []],
      ['https://app.example.com', ['https://app.example.com']],
      ['http://localhost:5173, https://a.example:8443', ['http://localhost:5173', 'https://a.example:8443']],
      ['HTTPS://App.Example.com:443,https://app.example.com', ['https://app.example.com']],
      ['https://bücher.example', ['https://xn--bcher-kva.example']],
      ['http://[::1]:80', ['http://[::1]']],
    ],
    refuses: [
      '*',
      'null',
      'https://*.example.com',
      'https://app.example.com/',
      'https://app.example.com/path',
      'https://app.example.com?x',
      'https://app.example.com#x',
      'https://me@app.example.com',
      'https://app.example.com\\',
      'https:app.example.com',
      'app.example.com',
      'ftp://app.example.com',
      'capacitor://localhost',
      'https://',
      'https://a.example; https://b.example',
      'https://a.example https://b.example',
      'https://a%2eexample',
      'https://0x7f.1',
      'https://1',
      'https://127.1',
      'https://１２７.0.0.1',
      'https://a.exa\tmple',
      'https://\ta.example',
      'https://a.example:0443',
      'https://a.example:',
      'http://[0:0::1]',
      'https://a\u00ad.example',
    ],
  },
  URLs: {
    kind: url('postgres', 'postgresql'),
    takes: [
      ['postgres://u:p@h:5432/d', 'postgres://u:p@h:5432/d'],
      ['postgresql:///d?host=/run/postgresql', 'postgresql:///d?host=/run/postgresql'],
    ],
    refuses: ['mysql://h/d', 'postgres:h', 'h:5432', '/run/postgresql'],
  },
  'base URLs': {
    kind: baseUrl(),
    takes: [
      ['https://Example.com/', 'https://example.com'],
      ['http://localhost:3000/app/', 'http://localhost:3000/app'],
    ],
    refuses: [
      'example.com',
      'https://u:p@example.com',
      'https://example.com/?a=1',
      'https://example.com/#a',
      'https://example.com/a;b',
      'https://',
    ],
  },
  hosts: {
    kind: host(),
    takes: [
      ['::1', '::1'],
      ['0.0.0.0', '0.0.0.0'],
      ['api.internal', 'api.internal'],
    ],
    refuses: ['localhost:3000', 'http://localhost', 'a b', '-x'],
  },
  networks: {
    kind: cidrs(),
    takes: [
      ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
      ['127.0.0.1,::1', ['127.0.0.1/32', '::1/128']],
      ['[fd00::]/8, [::1]', ['fd00::/8', '::1/128']],
      ['::FFFF:10.0.0.0/104, 10.1.2.3/16', ['10.0.0.0/8', '10.1.0.0/16']],
    ],
    refuses: [
      '10.0.0.0/33',
      '::/129',
      '10.0.0/8',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      'fe80::1%eth0',
      'localhost',
      '1.1.1.1/a',
      '[10.0.0.0]/8',
      '[::1]:443',
      '10.0.0.1:443',
      '[fe80::1%1]/64',
    ],
  },
  'the address of Redis': {
    kind: redisUrl(),
    takes: ['redis://r', 'redis://r/', 'redis://:p@[::1]:6379/11', 'rediss://u:p@r.example/0'].map((url) => [url, url]),
    refuses: ['redis://r/x', 'redis://r/1/2', 'redis://r/-1', 'redis://r/1a', 'http://r/1', 'r:6379/1', 'redis:///1'],
  },
  'the address of clamd': {
    kind: clamdUrl(),
    takes: [
      'tcp://clamd',
      'tcp://127.0.0.1:3310',
      'tcp://[::1]:3310/',
      'TCP://clamd.example:1',
      'unix:///run/clamav/clamd.ctl',
      'unix:///a b',
    ].map((url) => [url, url]),
    refuses: [
      'clamd:3310',
      'http://clamd:3310',
      'tcp://',
      'tcp://:3310',
      'tcp://clamd:0',
      'tcp://clamd:65536',
      'tcp://user@clamd:3310',
      'tcp://clamd:3310/path',
      'tcp://clamd:3310?a',
      'tcp://clamd 3310',
      'unix://run/clamd.ctl',
      'unix:/run/clamd.ctl',
      'unix:///',
      'unix:///a?b',
      `unix:///${'a'.repeat(103)}`,
      '/run/clamav/clamd.ctl',
    ],
  },
  'the switch of mails': {
    kind: mailSwitch(),
    takes: [
      ['off', 'off'],
      ['on', 'on'],
      // What a login shell sets it to.
      ['/var/mail/ada', 'on'],
    ],
    refuses: ['no', 'OFF', 'var/mail', 'false'],
  },
  'mail addresses': {
    kind: mailAddress(),
    takes: [
      ['a@example.com', { name: '', address: 'a@example.com' }],
      ['Ann Lee <a@example.com>', { name: 'Ann Lee', address: 'a@example.com' }],
      ['"Lee, Ann" <a@example.com>', { name: 'Lee, Ann', address: 'a@example.com' }],
    ],
    refuses: ['a', 'a@', '<a@b', 'a@b, c@d', 'x <a@b> y', 'a@b\r\nBcc: c@d', 'a b@c.d'],
  },
  secrets: {
    kind: secrets(),
    takes: [['new, old', ['new', 'old']]],
    refuses: ['two words', 'x'.repeat(1025)],
  },
  text: {
    kind: text('text', 5),
    takes: [['a b', 'a b']],
    refuses: ['123456', 'a\0b', 'a\nb'],
  },
}

for (const [name, { kind, takes, refuses }] of Object.entries(cases)) {
  describe(name, () => {
    for (const [given, value] of takes) test(`takes ${given}`, () => assert.deepEqual(kind.parse(given), value))
    for (const given of refuses) {
      test(`refuses ${JSON.stringify(given.slice(0, 40))}`, () => {
        assert.throws(() => kind.parse(given), InvalidSetting)
      })
    }
  })
}
