import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceName } from './devices.ts'

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
