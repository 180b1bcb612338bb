import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { canonicalNetwork, createNetworks, networkOf } from './networks.ts'

test('networks of one version hold nothing of the other', () => {
  const inside = createNetworks(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7', '::ffff:172.16.0.0/108'])
  for (const address of ['10.255.0.1', '2001:db8:ffff::1', '192.0.2.7', '172.31.0.1'])
    assert.ok(inside(address), address)
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', 'x', '']) assert.ok(!inside(address), address)
  assert.ok(!createNetworks(['::/0'])('8.8.8.8'))
  assert.ok(!createNetworks(['0.0.0.0/0'])('2600::1'))
  assert.ok(!createNetworks([])('127.0.0.1'))
})

test('an address is cut to its network', () => {
  const bits = { v4: 24, v6: 48 }
  const cases: [string | null, string | null][] = [
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8:1::9', '2001:db8:1::/48'],
    ['2001:DB8:1::', '2001:db8:1::/48'],
    ['::1', '::/48'],
    ['64:ff9b::192.0.2.1', '64:ff9b::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['no address', null],
    [null, null],
  ]
  for (const [address, network] of cases) assert.equal(networkOf(address, bits), network, String(address))
  assert.equal(networkOf('10.20.30.40', { v4: 32, v6: 64 }), '10.20.30.40/32')
  assert.equal(networkOf('10.20.30.40', { v4: 12, v6: 64 }), '10.16.0.0/12')
  assert.equal(networkOf('2001:db8::ffff:1', { v4: 32, v6: 128 }), '2001:db8::ffff:1/128')
})

test('a network is kept in one form', () => {
  const forms: [text: string, canonical: string | undefined][] = [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['[fd00::]/8', 'fd00::/8'],
    ['[::1]', '::1/128'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::FFFF:0A00:1/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:0:0/95', '::fffe:0:0/95'],
    ['::ffff:10.0.0.0/80', '::/80'],
    ...['10.0.0.0/33', '::/129', '::ffff:10.0.0.0/129', '/8', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08'].map(none),
    ...['10.0.0.0/0x8', '10.0.0.0/8/8', '10.0.0.0/ 8', '10.0.0.0/8 ', '[10.0.0.0]/8', '[fd00::/8]', '10/8', '*'].map(
      none,
    ),
    ...['10.0.0.0/255.0.0.0', '10.0.0.0-10.0.0.9', 'localhost', 'fe80::1%eth0/64', ''].map(none),
  ]
  for (const [text, canonical] of forms) assert.equal(canonicalNetwork(text), canonical, text)
  for (const text of ['10.0.0.0/33', '', 'localhost'])
    assert.throws(() => createNetworks(['10.0.0.0/8', text]), /This is no network/)
})

function none(text: string): [string, undefined] {
  return [text, undefined]
}

test('what is in a network is in it to Node too', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const v4 = bytes(4).map((parts) => parts.join('.'))
  const v6 = bytes(16).map((parts) => (Buffer.from(parts).toString('hex').match(/.{4}/g) ?? []).join(':'))
  for (const [addresses, family, width] of [
    [v4, 'ipv4', 32],
    [v6, 'ipv6', 128],
  ] as const)
    fc.assert(
      fc.property(addresses, addresses, fc.nat(width), fc.nat(width), (network, other, bits, shared) => {
        const list = new BlockList()
        list.addSubnet(network, bits, family)
        const inside = createNetworks([`${network}/${bits}`])
        // Strangers share no long prefix: another address of a network around this one.
        const near = canonicalNetwork(`${network}/${shared}`)?.split('/')[0] ?? ''
        for (const address of [network, other, near])
          assert.equal(inside(address), list.check(address, family), `${address} in ${network}/${bits}`)
        assert.ok(inside(networkOf(network, { v4: bits, v6: bits })?.split('/')[0] ?? ''))
      }),
      { seed: SEED, numRuns: 500 },
    )
})
