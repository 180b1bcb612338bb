import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressGate, isPublicAddress } from './public-addresses.ts'

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:831::200e',
  '2001:4860:4860::8888',
  '2600:1f18::1',
]

const PRIVATE = [
  // unspecified, loopback, private
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255', '172.16.0.1'],
  ...['172.31.255.255', '192.168.0.1', '192.168.255.255'],
  // carrier's NAT, link-local with the metadata of clouds, assignments, documentation, benchmarks
  ...['100.64.0.1', '100.100.100.200', '100.127.255.255', '169.254.169.254', '169.254.0.1', '168.63.129.16'],
  ...['192.0.0.192', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9'],
  // multicast, reserved, broadcast
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  // unspecified, loopback, compatible and mapped forms
  ...['::', '::1', '::7f00:1', '::127.0.0.1', '::8.8.8.8', '::ffff:7f00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1'],
  ...['::ffff:169.254.169.254', '::ffff:8.8.8.8', '::ffff:0:127.0.0.1', '0:0:0:0:0:ffff:7f00:0001'],
  // NAT64, 6to4, Teredo: IPv4 in other clothes
  ...['64:ff9b::7f00:1', '64:ff9b::127.0.0.1', '64:ff9b:1::1', '64:ff9b:1:ffff::a9fe:a9fe', '2002:7f00:1::1'],
  ...['2002:a00:1::', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:2::1', '2001:10::1', '2001:20::1'],
  // documentation, discard, unique-local with the metadata of clouds, link-local, site-local, multicast, not given out
  ...['2001:db8::1', '3fff::1', '100::1', 'fc00::1', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::1', 'febf::1'],
  ...['fec0::1', 'ff02::1', 'ff0e::1', '4000::1', '5f00::1', '1fff::1'],
  // no addresses
  ...['', 'localhost', '127.1', '0x7f.0.0.1', '2130706433', '1.1.1.1/32', '1.1.1.1 ', 'fe80::1%eth0', '2600::1%1'],
]

test('public addresses are told from all others', () => {
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address)
  for (const address of PRIVATE) assert.equal(isPublicAddress(address), false, address)
})

test('the networks that are allowed are reached, and no others', () => {
  const mayReach = createAddressGate(['10.1.0.0/16', '127.0.0.1/32', 'fd00:1::/32'])
  for (const address of [...PUBLIC, '10.1.0.1', '10.1.255.255', '127.0.0.1', 'fd00:1::5'])
    assert.equal(mayReach(address), true, address)
  for (const address of ['10.2.0.1', '10.0.255.255', '127.0.0.2', 'fd00:2::5', '::1', '169.254.169.254', '10.1.0'])
    assert.equal(mayReach(address), false, address)
})

test('allowing one kind of address does not allow the other kind', () => {
  const everyV4 = createAddressGate(['0.0.0.0/0'])
  assert.deepEqual(['10.0.0.1', '::1', 'fd00::1', '64:ff9b::7f00:1'].map(everyV4), [true, false, false, false])
  const everyV6 = createAddressGate(['::/0'])
  assert.deepEqual(['fd00::1', '::1', '10.0.0.1', '127.0.0.1'].map(everyV6), [true, true, false, false])
})
