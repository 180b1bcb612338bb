import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { PASSWORD, register } from '../src/modules/auth/auth.fixture.ts'
import { storeMail } from '../src/modules/mail/mailbox.ts'
import { type Browsing, findFaults, startBrowsing } from '../src/modules/pages/browser.fixture.ts'
import { until } from '../src/testing/until.ts'

let browsing: Browsing
before(async () => {
  browsing = await startBrowsing()
})
after(() => browsing.close())

const WIDE = { width: 1280, height: 900 }
const PHONE = { width: 390, height: 800 }
/** An opened operation with ten errors: without their examples it is about 2,000 pixels high, with them 5,500. */
const MOST_HIGH = { wide: 2_800, phone: 3_600 }

const isTooWide = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')

describe('the page of the API document', () => {
  it('shows an operation without the examples of its errors, and each on request, on a phone too', async () => {
    const page = await browsing.visit('/api/docs#/stores/createStore', { viewport: WIDE })
    const errors: Error[] = []
    page.on('pageerror', (error) => errors.push(error))
    const operation = page.locator('#operations-stores-createStore')
    await operation.locator('.fold').first().waitFor()
    const codes = await operation.locator('tr.folded').evaluateAll(
      (rows) => rows.map((row) => (row as unknown as { dataset: { code: string } }).dataset.code), // the DOM's types are not here
    )
    assert.deepEqual(codes, ['400', '401', '402', '403', '409', '413', '415', '422', '429', '500', '503'])
    const height = async () => (await operation.boundingBox())?.height ?? 0
    assert.ok((await height()) < MOST_HIGH.wide, `${await height()} pixels`)

    await page.setViewportSize(PHONE)
    assert.ok((await height()) < MOST_HIGH.phone, `${await height()} pixels`)
    assert.equal(await isTooWide(page), false)
    const conflict = operation.locator('tr.folded[data-code="409"] button')
    assert.equal(await conflict.getAttribute('aria-expanded'), 'false')
    assert.match((await conflict.textContent()) ?? '', /name_taken/)
    await conflict.press('Enter')
    await operation.locator('pre >> text=urn:tenantry:problem:conflict').first().waitFor()
    assert.equal(await conflict.getAttribute('aria-expanded'), 'true')
    assert.equal(await isTooWide(page), false, 'with an error opened')
    assert.deepEqual(errors, [])
  })
})

describe('the sign-in on the page of the API document', () => {
  const signIn = async (page: Page, fields: { email: string; password: string; tenant_id?: string }) => {
    for (const [name, value] of Object.entries(fields)) await page.fill(`#sign-in-${name}`, value)
    await page.press('#sign-in-password', 'Enter')
  }
  const said = (page: Page, text: string) => page.locator('.sign-in [role=status]', { hasText: text }).waitFor()
  /** Tries the operation of one's own profile out; the status of the answer. */
  const tryOut = async (page: Page) => {
    const operation = page.locator('#operations-users-getMe')
    const start = operation.locator('.try-out__btn')
    if ((await start.textContent())?.includes('Try it out')) await start.click()
    const answered = page.waitForResponse((response) => response.url().endsWith('/users/me'))
    await operation.locator('.execute').click()
    return (await answered).status()
  }

  it('lets a person in who tries operations out as themselves, and out again; nothing is kept', async () => {
    const ada = await register(browsing.test)
    const page = await browsing.visit('/api/docs#/users/getMe', { viewport: WIDE })
    const errors: Error[] = []
    page.on('pageerror', (error) => errors.push(error))
    await page.locator('.sign-in form').waitFor()
    assert.equal(await tryOut(page), 401)
    await signIn(page, { email: ada.email, password: PASSWORD, tenant_id: ada.tenantId })
    await said(page, 'Signed in as ')
    assert.equal(await tryOut(page), 200)
    assert.deepEqual(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'), [0, 0, ''])
    const ended = page.waitForResponse((response) => response.url().endsWith('/auth/logout'))
    await page.click('.sign-in >> text=Sign out')
    assert.equal((await ended).status(), 204)
    await said(page, 'You are signed out.')
    assert.equal(await tryOut(page), 401)
    await signIn(page, { email: ada.email, password: PASSWORD })
    await said(page, 'Signed in as ')
    await page.reload()
    await page.locator('.sign-in form').waitFor()
    assert.equal(await tryOut(page), 401, 'a reload forgets it')
    assert.deepEqual(errors, [])
  })

  it('says in a sentence what went wrong', async () => {
    const ada = await register(browsing.test)
    const page = await browsing.visit('/api/docs')
    await page.locator('.sign-in form').waitFor()
    await signIn(page, { email: ada.email, password: 'wrong' })
    await said(page, 'E-mail or password is wrong.')
    await signIn(page, { email: ada.email, password: PASSWORD, tenant_id: 'no id' })
    await said(page, '#/tenant_id must be a UUID.')
    const answers: [body: object | null, status: number, text: string, headers?: Record<string, string>][] = [
      [{ two_factor_required: true, challenge_token: 'x' }, 200, 'This account has a second factor'],
      [{ detail: 'Too many attempts' }, 429, 'Too many attempts. Try again in 30 seconds.', { 'retry-after': '30' }],
      [{}, 200, 'The server answered without an access token.'],
      [{}, 502, 'The server answered 502.'],
      [null, 0, 'The server did not answer. Check that it runs, and try again.'],
      [{ access_token: 'short', expires_in: 1, user: { name: 'Ada' }, tenant: null }, 200, 'That sign-in has ended.'],
    ]
    for (const [body, status, text, headers = {}] of answers) {
      await page.route('**/auth/login', (route) =>
        body === null ? route.abort() : route.fulfill({ status, headers, json: body }),
      )
      await signIn(page, { email: ada.email, password: PASSWORD, tenant_id: '' })
      await said(page, text)
      await page.unroute('**/auth/login')
    }
  })

  it('has labels and contrast, is used by the keyboard alone, and fits a phone', async () => {
    const page = await browsing.visit('/api/docs', { viewport: PHONE })
    await page.locator('.sign-in form').waitFor()
    assert.equal(await isTooWide(page), false)
    await page.focus('#sign-in-email')
    const passed: unknown[] = []
    for (let at = 0; at < 3; at++) {
      await page.keyboard.press('Tab')
      passed.push(await page.evaluate('document.activeElement.name || document.activeElement.textContent'))
    }
    assert.deepEqual(passed, ['password', 'tenant_id', 'Sign in'])
    for (const label of ['E-mail', 'Password', 'Tenant id (optional)'])
      await page.getByLabel(label, { exact: true }).waitFor()
    assert.deepEqual(await findFaults(page, 'api-docs', '.sign-in'), [])
    await signIn(page, { email: 'nobody@example.com', password: 'wrong' })
    await said(page, 'E-mail or password is wrong.')
    assert.deepEqual(await findFaults(page, 'api-docs-problem', '.sign-in'), [])
  })

  it('says what went wrong where it is seen, also beside the keyboard of a phone', async () => {
    const page = await browsing.visit('/api/docs', { viewport: { width: 390, height: 330 } })
    await page.locator('.sign-in form').waitFor()
    await signIn(page, { email: 'nobody@example.com', password: 'wrong' })
    await said(page, 'E-mail or password is wrong.')
    const isSeen = () =>
      page.evaluate<boolean>(
        '(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector(".sign-in .problem").getBoundingClientRect())',
      )
    await until('the problem is in sight', isSeen)
  })
})

describe('the mailbox', () => {
  it('fits a phone, shows times on one line and the mails to one recipient', async () => {
    const { dataDir } = browsing.test
    const content = { from: 'Tenantry <noreply@localhost>', text: 'Hello', html: '<p>Hello</p>' }
    const long = 'ada.lovelace.with-a-long-name@mail.subdomain.example.com'
    for (const to of [long, 'ben@example.com'])
      await storeMail(dataDir, { ...content, to, subject: `Please confirm your e-mail address ${to}` })
    const page = await browsing.visit('/dev/mailbox', { viewport: { width: 360, height: 700 } })
    const faults = await findFaults(page, 'mailbox')
    await page.setViewportSize({ width: 360, height: 700 })
    for (const time of await page.locator('time').all()) {
      assert.match((await time.textContent()) ?? '', /^\d{1,2} \w+ \d{4}, \d\d:\d\d:\d\d \S+$/)
      assert.ok(((await time.boundingBox())?.height ?? 0) < 40, 'a time stands on one line')
    }
    await page.fill('#to', 'BEN@')
    await page.keyboard.press('Enter')
    await page.locator('[role=status] >> text=One mail to BEN@.').waitFor()
    assert.deepEqual(await page.locator('.to').allTextContents(), ['ben@example.com'])
    await page.click('text=Show all')
    await page.locator('[role=status] >> text=2 mails.').waitFor()
    await page.locator('.subject').last().click()
    await page.locator('iframe').waitFor()
    faults.push(...(await findFaults(page, 'mail')))
    assert.deepEqual(faults, [])
  })
})
