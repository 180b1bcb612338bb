import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressReader } from '../http/address.ts'
import { checkOutboundUrl } from '../outbound/outbound-url.ts'
import { canonicalAddress, readAddress } from './addresses.ts'
import { isLoopback, isLoopbackAddress } from './loopback.ts'
import { canonicalNetwork, createNetworks, networkOf } from './networks.ts'
import { createAddressGate, isPublicAddress } from './public-addresses.ts'

const everything = createNetworks(['0.0.0.0/0', '::/0'])
const everywhere = createAddressGate(['0.0.0.0/0', '::/0'])

/** Ways to write 127.0.0.1 and ::1 that say just that. */
const LOOPBACK: [text: string, canonical: string][] = [
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::FFFF:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['::FFFF:7F00:0001', '127.0.0.1'],
  ['0:0:0:0:0:ffff:127.0.0.1', '127.0.0.1'],
  ['0000:0000:0000:0000:0000:FFFF:7f00:0001', '127.0.0.1'],
  ['::1', '::1'],
  ['0::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::0.0.0.1', '::1'],
]

test('this machine is known in every spelling of its address', () => {
  for (const [text, canonical] of LOOPBACK) {
    assert.equal(canonicalAddress(text), canonical, text)
    assert.ok(isLoopbackAddress(text) && isLoopback(text) && everything(text), text)
    assert.ok(!isPublicAddress(text) && !createAddressGate([])(text), text)
    assert.ok(createAddressGate([canonical])(text), text)
    assert.equal(canonicalNetwork(text), `${canonical}/${canonical.includes(':') ? 128 : 32}`, text)
    assert.equal(networkOf(text, { v4: 32, v6: 128 }), canonicalNetwork(text))
    assert.equal(createAddressReader([])(text, '203.0.113.9'), canonical)
    assert.equal(createAddressReader([canonical])(text, '203.0.113.9'), '203.0.113.9')
    if (!text.includes(':')) continue
    assert.equal(readAddress(`[${text}]:443`), canonical)
    assert.ok(isLoopback(`[${text}]`))
  }
})

test('what wraps 127.0.0.1 in another way is another address, and no public one', () => {
  for (const text of ['::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::127.0.0.1', '2002:7f00:1::', '::fffe:127.0.0.1']) {
    assert.ok(everything(text) && !isLoopbackAddress(text), text)
    assert.ok(!isPublicAddress(text) && !createAddressGate(['127.0.0.0/8'])(text), text)
  }
})

const NO_ADDRESSES = [
  // what the C library takes for 127.0.0.1: parts left out, hexadecimal, octal, one number
  ...[
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f.0.0.1',
    '0X7F000001',
    '0177.0.0.1',
    '127.0.0.01',
    '00127.0.0.1',
    '2130706433',
  ],
  ...['::ffff:127.1', '::ffff:0x7f.1', '::ffff:0177.0.0.1', '::ffff:127.0.0.01', '::ffff:2130706433'],
  // what names may have around them
  ...[
    '127.0.0.1.',
    '.127.0.0.1',
    '127..0.1',
    '::1.',
    '::ffff:127.0.0.1.',
    ' 127.0.0.1',
    '127.0.0.1 ',
    '::1\n',
    '127.0.0.1\t',
  ],
  ...['127.0.0.1\u0000', '127.0.0.1\u0000.example', '\u202e127.0.0.1', '１２７.0.0.1', '127。0。0。1', '①27.0.0.1'],
  // brackets, ports, prefixes and quotes that are half there
  ...[
    '[::1',
    '::1]',
    '[[::1]]',
    '[127.0.0.1]',
    '[]',
    '::1]:80',
    '[::1]80',
    "'127.0.0.1'",
    '127.0.0.1:',
    '127.0.0.1:99999',
  ],
  // zones, groups
  ...[
    '::1%lo',
    '::1%25lo',
    'fe80::1%eth0',
    '::ffff:127.0.0.1%1',
    '%',
    '%lo',
    ':::1',
    '1::2::3',
    '::12345',
    '::g',
    ':',
    '::1:',
  ],
  ...['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:127.0.0.1', '127.0.0.256', '-1.0.0.1', '127.0.0.1e0', ''],
]

test('what only some would take for an address is none to anybody', () => {
  for (const text of NO_ADDRESSES) {
    const shown = JSON.stringify(text)
    assert.equal(canonicalAddress(text), undefined, shown)
    assert.equal(readAddress(text), undefined, shown)
    assert.ok(!isLoopbackAddress(text) && !everything(text) && !everywhere(text) && !isPublicAddress(text), shown)
    assert.ok(!isLoopback(text), shown)
    assert.equal(canonicalNetwork(text), undefined, shown)
    assert.equal(canonicalNetwork(`${text}/8`), undefined, shown)
    if (!text.includes('%')) assert.equal(networkOf(text, { v4: 24, v6: 48 }), null, shown)
    // The client is whom the proxy names, or else the proxy. Blanks around an entry of the header belong to the header.
    if (text === text.trim()) assert.equal(createAddressReader(['192.0.2.1'])('192.0.2.1', text), '192.0.2.1', shown)
  }
})

test('in a URL, where some of them do lead to 127.0.0.1, none leads there', () => {
  const settings = { env: 'test', outboundAllow: [] } as const // the word is the type
  for (const host of [
    '127.1',
    '0x7f.1',
    '0X7F000001',
    '0177.0.0.1',
    '2130706433',
    '127.0.0.1.',
    '１２７.0.0.1',
    '127。0。0。1',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '[::FFFF:7F00:1]',
    '[0::1]',
  ])
    assert.throws(() => checkOutboundUrl(`http://${host}/`, settings), { code: 'invalid_request' }, host)
  for (const host of ['[::1%25lo]', '[127.0.0.1]', '[::ffff:127.1]', '127.0.0.256'])
    assert.throws(() => checkOutboundUrl(`http://${host}/`, settings), { code: 'invalid_request' }, host)
})
