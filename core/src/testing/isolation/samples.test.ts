import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Type from 'typebox'
import { Check } from 'typebox/value'
import { asSchema, idPlaces, sampleFor } from './samples.ts'

const Uuid = Type.String({ format: 'uuid' })
const body = Type.Object({
  name: Type.String(),
  code: Type.Optional(Type.String({ pattern: '^[0-9]{7}$' })),
  owner_id: Type.Union([Uuid, Type.Null()]),
  tag_ids: Type.Array(Type.String()),
  roles: Type.Optional(Type.Array(Type.Object({ role_id: Uuid, key: Type.Union([Uuid, Uuid]) }))),
})

const sampling = { complete: true, text: () => 'mine 1', id: async (name: string) => `the ${name}` }

describe('what the kit makes of a schema', () => {
  it('has ids wherever they stand: in lists, objects and unions', () => {
    const places = idPlaces(asSchema(body)).map((path) => path.join('/'))
    assert.deepEqual(places, ['owner_id', 'tag_ids/0', 'roles/0/role_id', 'roles/0/key'])
  })

  it('has the tenant’s ids and texts, and leaves out what none of them fits', async () => {
    assert.deepEqual(await sampleFor(body, sampling), {
      name: 'mine 1',
      owner_id: 'the owner_id',
      tag_ids: ['the tag_ids'],
      roles: [{ role_id: 'the role_id', key: 'the key' }],
    })
    const least = { name: 'mine 1', owner_id: 'the owner_id', tag_ids: [] }
    assert.deepEqual(await sampleFor(body, { ...sampling, complete: false }), least)
  })

  for (const format of ['date', 'date-time', 'time', 'email', 'uri', 'url', 'hostname', 'ipv4', 'ipv6'])
    it(`has a ${format}`, async () => {
      const schema = Type.Object({ it: Type.String({ format }) })
      const made = await sampleFor(schema, sampling)
      assert.ok(Check(schema, made), JSON.stringify(made))
    })

  it('leaves out an id where there is none', async () => {
    const none = { ...sampling, id: async (name: string) => (name === 'owner_id' ? undefined : `the ${name}`) }
    assert.equal((await sampleFor(body, none)).owner_id, undefined)
    const nothing = await sampleFor(body, { ...sampling, id: async () => undefined })
    assert.deepEqual(nothing.tag_ids, [])
  })
})
