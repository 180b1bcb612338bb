import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Closed, defineMail, defineModule, defineNotification, MINUTES, mailOf, Type } from '#kernel'
import { createTestCore } from '../../../testing/index.ts'
import { messageFolder } from '../../../testing/message-folder.ts'
import { builtinModules } from '../../index.ts'
import { notifications } from '../index.ts'
import { badgeOf, listOf } from '../notifications.fixture.ts'

let isBroken = true
const data = Closed({ name: Type.String() })
const tillMail = defineMail('till.opened', {
  data,
  pause: { minutes: 5 },
  values: ({ data: { name } }) => {
    if (isBroken) throw new Error('no words')
    return { name }
  },
})
const tillNotice = defineNotification('till.opened', {
  type: 'info',
  data,
  audience: 'everyone',
  channels: ['in_app', 'email'],
  mail: mailOf<typeof data, { name: string }>(tillMail, (told) => told),
})
const texts = {
  'notification.till.opened.name': 'Tills',
  'notification.till.opened.title': 'Till {name} was opened',
  'notification.till.opened.message': 'Somebody opened it.',
  'mail.till.opened.subject': 'Till {name} was opened',
  'mail.till.opened.body': 'Somebody opened it.',
}
const till = defineModule({
  name: 'till',
  dependsOn: [notifications],
  notifications: [tillNotice],
  mails: [tillMail],
  messages: messageFolder({ en: texts }),
})

test('a mail that cannot be written keeps nobody from finding it in their list, and comes once it can', async () => {
  const t = await createTestCore({ modules: [...builtinModules, till] })
  try {
    const { id, owner } = await t.foundTenant()
    await t.drainJobs(id)
    await t.core.run((ctx) => ctx.notify(tillNotice, { data: { name: 'One' } }), { tenantId: id })
    await t.drainJobs(id).catch(() => {}) // the mail is tried again
    assert.deepEqual(
      (await listOf(owner)).map(({ title }) => title),
      ['Till One was opened'],
    )
    assert.equal(await badgeOf(owner), 1)
    const mails = async () =>
      (await t.mails(owner.email)).filter(({ subject }) => subject === 'Till One was opened').length
    assert.equal(await mails(), 0)
    isBroken = false
    t.clock.advance(1 * MINUTES)
    await t.drainJobs(id)
    assert.deepEqual([await mails(), await badgeOf(owner)], [1, 1])
  } finally {
    await t.close()
  }
})
