import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Value } from 'typebox/value'
import { newSigningSecret } from '#kernel'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { type Receiver, startReceiver } from './receiver.fixture.ts'
import { runInProcess } from './run-in-process.ts'

let receiver: Receiver
before(async () => {
  receiver = await startReceiver()
})
after(() => receiver.close())

const { published } = createRegistry([kernelModule, ...builtinModules])
const trigger = (args: string) => runInProcess(`trigger ${args}`)

describe('tenantry trigger', () => {
  test('sends a sample of every event, which fits its schema and is signed', async () => {
    const secret = newSigningSecret()
    for (const [name, { schema }] of published) {
      receiver.received = []
      const { code, out, err } = await trigger(`${name} --forward-to ${receiver.url} --secret ${secret}`)
      assert.deepEqual([code, err], [0, ''])
      const came = receiver.received[0] ?? assert.fail(out)
      const { data, ...body } = came.verify(secret)
      has(body, { type: name, actor: { type: 'system' } })
      // Who files things by their store and tenant finds them where they are.
      if (name.startsWith('store.')) assert.deepEqual([body.store_id, body.tenant_id], [data.id, data.tenant_id])
      assert.ok(Value.Check(schema, data), `${name}: ${JSON.stringify([...Value.Errors(schema, data)])}`)
      has(came.headers, { 'content-type': 'application/json', 'user-agent': 'Tenantry' })
      assert.match(
        out,
        new RegExp(`^\\d\\d:\\d\\d:\\d\\d {2}${name} +${came.headers['webhook-id']} {2}200 {2}\\d+ ms\n$`),
      )
    }
  })

  test('makes a secret where none is given, and shows it', async () => {
    receiver.received = []
    const { out } = await trigger(`store.created --forward-to ${receiver.url}`)
    const [secret = ''] = /whsec_\S+/.exec(out) ?? []
    assert.equal(receiver.received[0]?.verify(secret).type, 'store.created')
  })

  test('ends in 1 when it is not taken, and says why', async () => {
    receiver.status = 500
    const { code, out } = await trigger(`store.created --forward-to ${receiver.url}`)
    receiver.status = 200
    assert.equal(code, 1)
    assert.match(out, / {2}500 {2}\d+ ms\n$/)
    const gone = await startReceiver()
    await gone.close()
    const nobody = await trigger(`store.created --forward-to ${gone.url}`)
    assert.equal(nobody.code, 1)
    assert.match(nobody.out, /ECONNREFUSED/)
  })

  test('says what it needs, and which events come near one that is unknown', async () => {
    const wrong = {
      'store.creatd --forward-to http://127.0.0.1:9':
        /there is no event "store\.creatd"; did you mean .*store\.created/,
      'xyz --forward-to http://127.0.0.1:9': /there is no event "xyz"; there are .*store\.created.*user\.updated/,
      '': /an event is required: .*store\.created/,
      'store.created': /--forward-to is required/,
      'store.created --forward-to http://me:secret@127.0.0.1:9': /--forward-to takes an address without a user name/,
      'store.created --forward-to localhost:4000': /--forward-to takes an address that begins with http/,
      'store.created --forward-to http://127.0.0.1:9 --secret abc': /--secret takes a signing secret/,
    }
    for (const [args, says] of Object.entries(wrong)) {
      const { code, out, err } = await trigger(args)
      assert.deepEqual([code, out], [2, ''], args)
      assert.match(err, says)
    }
  })
})
