import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceName } from './devices.ts'
import { networkOf } from './networks.ts'

test('an address is cut to its network', () => {
  const bits = { v4: 24, v6: 48 }
  const cases: [string | null, string | null][] = [
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:0:0:0:0:0/48'],
    ['2001:db8:1::9', '2001:db8:1:0:0:0:0:0/48'],
    ['2001:DB8:1::', '2001:db8:1:0:0:0:0:0/48'],
    ['::1', '0:0:0:0:0:0:0:0/48'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0:0:0:0:0/48'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:0/48'],
    ['no address', null],
    [null, null],
  ]
  for (const [address, network] of cases) assert.equal(networkOf(address, bits), network, String(address))
  assert.equal(networkOf('10.20.30.40', { v4: 32, v6: 64 }), '10.20.30.40/32')
  assert.equal(networkOf('10.20.30.40', { v4: 12, v6: 64 }), '10.16.0.0/12')
  assert.equal(networkOf('2001:db8::ffff:1', { v4: 32, v6: 128 }), '2001:db8:0:0:0:0:ffff:1/128')
})

test('a device gets a name that its owner knows it by', () => {
  const cases: [string | null, string][] = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36', 'Chrome on Android'],
    ['curl/8.14.1', 'curl'],
    ['acme-pos 3.1 (till 7)', 'acme-pos 3.1'],
    ['<script>', 'Unknown device'],
    ['', 'Unknown device'],
    [null, 'Unknown device'],
  ]
  for (const [agent, name] of cases) assert.equal(deviceName(agent), name, String(agent))
})
