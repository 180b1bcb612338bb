import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { HOURS } from '#kernel'
import {
  addToTenant,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  register,
  registerUnproven,
  tokenTo,
} from '../auth/auth.fixture.ts'
import { unsubscribeToken } from '../mail/unsubscribe/tokens.ts'
import { type Browsing, findFaults, startBrowsing } from './browser.fixture.ts'

let browsing: Browsing
let ada: Person
const faults: string[] = []

before(async () => {
  browsing = await startBrowsing()
  ada = await register(browsing.test, { tenant_name: 'Bäckerei & Söhne <b>', name: 'Ada Byron' })
  const other = await register(browsing.test, { tenant_name: 'Werkstatt am Hafen' })
  await addToTenant(browsing.test, ada, other.tenantId)
})
after(() => browsing.close())

const look = async (page: Page, name: string) => void faults.push(...(await findFaults(page, name)))
/** Waits for these words, whatever was said there before. */
const said = (page: Page, words: RegExp, where = '#alert') => page.locator(where).filter({ hasText: words }).waitFor()
const problems = (page: Page, field: string) => page.locator(`#${field}-problems li`).allTextContents()

/** Goes through the page with the keyboard alone; the labels or texts of what it stops at. */
async function tabStops(page: Page, count: number): Promise<string[]> {
  await page.evaluate('document.activeElement?.blur()')
  const stops: string[] = []
  for (let stop = 0; stop < count; stop++) {
    await page.keyboard.press('Tab')
    // A text, since Node's types know no browser.
    stops.push(await page.evaluate('(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()'))
  }
  return stops
}

async function invite(email: string): Promise<string> {
  const answer = await browsing.test.request('POST', '/api/v1/users/invite', { token: ada.token, body: { email } })
  assert.equal(answer.status, 201, answer.text)
  return tokenTo(browsing.test, email, 'invites you')
}

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.fill('#email', ada.email)
  await page.fill('#password', password)
  await page.keyboard.press('Enter')
}

describe('the first page', () => {
  it('says what this is and leads on', async () => {
    const page = await browsing.visit('/')
    await look(page, 'home')
    assert.deepEqual(await tabStops(page, 4), ['Sign in', 'API documentation', 'Mailbox', 'State of the server'])
    for (const href of await page
      .locator('a')
      .evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href))) // the DOM's types are not here
      assert.equal((await fetch(href)).status, 200, href)
  })
})

describe('ending mails of a kind', () => {
  it('asks first, and ends them when it is pressed', async () => {
    const { core } = browsing.test
    const token = unsubscribeToken(core, { tenantId: ada.tenantId, userId: ada.userId, kind: 'announcement' })
    const page = await browsing.visit(`/unsubscribe?token=${token}`)
    await look(page, 'unsubscribe')
    const isMailed = async () => {
      const { body } = await browsing.test.request('GET', '/api/v1/notifications/preferences', { token: ada.token })
      const kinds: { notification_type: string; email_enabled: boolean }[] = body.data
      return kinds.find(({ notification_type }) => notification_type === 'announcement')?.email_enabled
    }
    assert.equal(await isMailed(), true)
    await page.click('button[type=submit]')
    await said(page, /no more mails of this kind/, '#status')
    await look(page, 'unsubscribe-done')
    assert.equal(await isMailed(), false)
    const broken = await browsing.visit('/unsubscribe?token=nonsense')
    await broken.click('button[type=submit]')
    await said(broken, /This address is not complete/)
  })
})

describe('signing in', () => {
  it('says what is missing at the fields, and what is wrong above them', async () => {
    const page = await browsing.visit('/sign-in')
    await look(page, 'sign-in')
    assert.deepEqual(await tabStops(page, 5), [
      'E-mail address',
      'Password',
      'Show the password',
      'Sign in',
      'Forgot your password?',
    ])
    await page.click('button[type=submit]')
    await said(page, /marked fields/)
    assert.deepEqual(
      [await problems(page, 'email'), await problems(page, 'password')],
      [['This is needed.'], ['This is needed.']],
    )
    assert.equal(await page.evaluate('document.activeElement.id'), 'email')
    await look(page, 'sign-in-empty')
    await page.fill('#email', 'nobody')
    await page.fill('#password', 'x')
    await page.keyboard.press('Enter')
    await page.locator('#email-problems >> text=no e-mail address').waitFor()
    await signIn(page, 'wrong')
    await said(page, /^E-mail address or password is wrong\.$/)
    assert.deepEqual(await problems(page, 'email'), [])
    await look(page, 'sign-in-wrong')
  })

  it('shows companies and roles, and switches between them', async () => {
    const page = await browsing.visit('/sign-in')
    await signIn(page)
    await page.locator('.person').waitFor()
    assert.equal(await page.title(), 'You are signed in')
    const rows = () => page.locator('.tenants li').allInnerTexts()
    assert.deepEqual(
      (await rows()).map((row) => row.replace(/\s*\n\s*/g, ' | ')),
      ['Bäckerei & Söhne <b> | Owner | You are here', 'Werkstatt am Hafen | Viewer | Switch'],
    )
    await look(page, 'account')
    await page.getByRole('button', { name: 'Switch to Werkstatt am Hafen' }).press('Enter')
    await said(page, /You are now in Werkstatt am Hafen\./, '#status')
    assert.match((await rows())[1] ?? '', /You are here/)
    await page.locator('text=Sign out').press('Enter')
    await said(page, /You are signed out\./, '#status')
    await look(page, 'signed-out')
    assert.equal(await page.title(), 'Sign in')
    assert.equal(await page.evaluate('document.querySelector("#password").value'), '')
  })

  it('forgets everything when the page is left, and keeps nothing anywhere', async () => {
    const page = await browsing.visit('/sign-in')
    await signIn(page)
    await page.locator('.person').waitFor()
    const kept =
      'JSON.stringify([localStorage.length, sessionStorage.length, document.cookie, indexedDB.databases ? 0 : 0])'
    assert.equal(await page.evaluate(kept), '[0,0,"",0]')
    await page.reload()
    await page.locator('#email').waitFor()
    assert.equal(await page.locator('.person').count(), 0)
  })

  it('says when the server cannot be reached', async () => {
    const page = await browsing.visit('/sign-in')
    await page.context().setOffline(true)
    await signIn(page)
    await said(page, /cannot be reached/)
    await look(page, 'offline')
    await page.context().setOffline(false)
    await page.keyboard.press('Enter')
    await page.locator('.person').waitFor()
  })
})

describe('an address that is not proven', () => {
  it('gets its link once more from the account', async () => {
    const person = await registerUnproven(browsing.test, {})
    const page = await browsing.visit('/sign-in')
    await page.fill('#email', person.email)
    await page.fill('#password', PASSWORD)
    await page.keyboard.press('Enter')
    await page.locator('text=Send the link again').press('Enter')
    await said(page, /on its way/, '#status')
  })
})

describe('a forgotten password', () => {
  it('is replaced by way of a mail, and a weak one is explained at its field', async () => {
    const person = await register(browsing.test, {})
    const asking = await browsing.visit('/forgot-password')
    await look(asking, 'forgot-password')
    await asking.fill('#email', person.email)
    await asking.keyboard.press('Enter')
    await said(asking, /the mail is on its way/, '#status')
    await look(asking, 'forgot-password-done')

    const token = await tokenTo(browsing.test, person.email, 'new password')
    const page = await browsing.visit(`/reset-password?token=${token}`)
    assert.deepEqual(await tabStops(page, 3), ['New password', 'Show the password', 'Set the password'])
    await page.fill('#password', 'password')
    await page.keyboard.press('Enter')
    await said(page, /marked fields/)
    const found = await problems(page, 'password')
    assert.ok(found.length >= 2, found.join())
    assert.equal(await page.getAttribute('#password', 'aria-invalid'), 'true')
    await look(page, 'reset-password-weak')
    await page.check('text=Show the password')
    assert.equal(await page.getAttribute('#password', 'type'), 'text')
    await page.fill('#password', OTHER_PASSWORD)
    await page.press('#password', 'Enter')
    await said(page, /new password is set/, '#status')
    await look(page, 'reset-password-done')
    await page.click('text=Go to sign-in')
    assert.equal(await page.title(), 'Sign in')

    const again = await browsing.visit(`/reset-password?token=${token}`)
    await again.fill('#password', OTHER_PASSWORD)
    await again.keyboard.press('Enter')
    await said(again, /does not work/)
    assert.equal(await again.locator('#next a').textContent(), 'Ask for a new one')
    await look(again, 'reset-password-used')
  })
})

describe('the proof of an address', () => {
  it('is spent by a press of the button, not by opening the link', async () => {
    const person = await registerUnproven(browsing.test, {})
    const token = await tokenTo(browsing.test, person.email, 'Confirm')
    await browsing.visit(`/verify-email?token=${token}`) // as a program does that looks at mails
    const page = await browsing.visit(`/verify-email?token=${token}&utm_source=mail`)
    assert.equal(page.url(), `${browsing.base}/verify-email`)
    await look(page, 'verify-email')
    assert.deepEqual(await tabStops(page, 1), ['Confirm the address'])
    await page.keyboard.press('Enter')
    await said(page, /is confirmed/, '#status')
    await look(page, 'verify-email-done')
    const again = await browsing.visit(`/verify-email?token=${token}`)
    await again.click('button')
    await said(again, /used already/)
    const without = await browsing.visit('/verify-email')
    await said(without, /not complete/)
    await look(without, 'verify-email-no-token')
  })

  it('comes too late when the link has ended', async () => {
    const person = await registerUnproven(browsing.test, {})
    const token = await tokenTo(browsing.test, person.email, 'Confirm')
    const page = await browsing.visit(`/verify-email?token=${token}`)
    browsing.test.clock.advance(25 * HOURS)
    await page.click('button')
    await said(page, /too old/)
    await look(page, 'verify-email-old')
    browsing.test.clock.advance(-25 * HOURS)
  })
})

describe('an invitation', () => {
  it('makes an account for who is new, and leads in', async () => {
    const token = await invite('new@example.com')
    const page = await browsing.visit(`/accept-invite?token=${token}`, { locale: 'de-AT' })
    await page.locator('#name').waitFor()
    assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
    await look(page, 'accept-invite-new')
    assert.deepEqual(await tabStops(page, 4), [
      'Ihr Name (freiwillig)',
      'Neues Passwort',
      'Passwort zeigen',
      'Einladung annehmen',
    ])
    await page.fill('#name', 'Neu Hier')
    await page.fill('#password', PASSWORD)
    await page.keyboard.press('Enter')
    await said(page, /^Willkommen! Sie gehören jetzt dazu\.$/, '#status')
    await page.locator('.person >> text=Neu Hier').waitFor()
    await look(page, 'accept-invite-done')
    const again = await browsing.visit(`/accept-invite?token=${token}`)
    await said(again, /does not work/)
    await look(again, 'accept-invite-used')
  })

  it('asks who has an account for its password', async () => {
    const person = await register(browsing.test, {})
    const page = await browsing.visit(`/accept-invite?token=${await invite(person.email)}`)
    await page.locator('#password').waitFor()
    await look(page, 'accept-invite-known')
    await page.fill('#password', 'wrong')
    await page.keyboard.press('Enter')
    await said(page, /^The password is wrong\.$/)
    await page.fill('#password', PASSWORD)
    await page.press('#password', 'Enter')
    await said(page, /Welcome!/, '#status')
    assert.equal(await page.locator('.tenants li').count(), 2)
  })
})

describe('all that was looked at', () => {
  it('has nothing that axe objects to, in light and dark, at 360 and 1280 pixels', () => {
    assert.deepEqual(faults, [])
  })
})
