import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressReader } from '../http/address.ts'
import { canonicalAddress, readAddress } from './addresses.ts'

test('an address is understood in every form that proxies and people write', () => {
  const forms: [text: string, address: string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:5555', '203.0.113.9'],
    ['203.0.113.9:0', '203.0.113.9'],
    ['"203.0.113.9"', '203.0.113.9'],
    ['"203.0.113.9:51008"', '203.0.113.9'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:80', '203.0.113.9'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ]
  for (const [text, address] of forms) assert.equal(readAddress(text), address, text)
})

const GARBAGE = [
  '',
  ' ',
  'unknown',
  '_hidden',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '010.0.0.1',
  '2130706433',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.4:',
  '1.2.3.4:65536',
  '1.2.3.4:-1',
  '1.2.3.4:80:80',
  '1.2.3.4/32',
  '[1.2.3.4]',
  '[1.2.3.4]:80',
  '[]',
  '[::1',
  '::1]',
  '[::1]:',
  '[::1]:65536',
  '[[::1]]',
  '[::1]x',
  '"1.2.3.4',
  '""1.2.3.4""',
  "'1.2.3.4'",
  'fe80::1%eth0',
  '[fe80::1%25eth0]:80',
  '::::',
  '1:2:3:4:5:6:7:8:9',
  'for=1.2.3.4',
  '1.2.3.4\u0000',
  '１.２.３.４',
]

test('what is no address is none, a zone included', () => {
  for (const text of GARBAGE) assert.equal(readAddress(text), undefined, text)
  assert.equal(canonicalAddress('fe80::1%eth0'), undefined)
})

test('the client is the first from the right that is no trusted proxy, with or without ports', () => {
  const read = createAddressReader(['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'])
  const cases: [socket: string | undefined, header: string | string[] | undefined, client: string | null][] = [
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['127.0.0.1', '203.0.113.9:5555', '203.0.113.9'],
    ['::ffff:127.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['127.0.0.1', '198.51.100.66, 203.0.113.9:5555, 10.0.0.1:443, [fd00::2]:8080', '203.0.113.9'],
    ['127.0.0.1', ['198.51.100.66', '203.0.113.9:1, 10.1.1.1'], '203.0.113.9'],
    ['127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['fe80::1%eth0', '203.0.113.9', 'fe80::1'],
    [undefined, '203.0.113.9', null],
    ['', '203.0.113.9', null],
  ]
  for (const [socket, header, client] of cases) assert.equal(read(socket, header), client, `${socket} ${header}`)
})

test('what is no address ends the walk: the proxy that handed it on is the client', () => {
  const read = createAddressReader(['127.0.0.0/8', '10.0.0.0/8'])
  for (const text of GARBAGE.filter((text) => !text.includes(','))) {
    assert.equal(read('127.0.0.1', text), '127.0.0.1', text)
    assert.equal(read('127.0.0.1', `203.0.113.9, ${text}, 10.0.0.9:443`), '10.0.0.9', text)
  }
})
