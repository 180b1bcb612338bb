import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { storeMail } from '../src/modules/mail/mailbox.ts'
import { type Browsing, findFaults, startBrowsing } from '../src/modules/pages/browser.fixture.ts'

let browsing: Browsing
before(async () => {
  browsing = await startBrowsing()
})
after(() => browsing.close())

const WIDE = { width: 1280, height: 900 }
const PHONE = { width: 390, height: 800 }
/** An opened operation with ten errors: without their examples it is about 2,000 pixels high, with them 5,500. */
const MOST_HIGH = { wide: 2_600, phone: 3_300 }

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
    assert.deepEqual(codes, ['400', '401', '402', '403', '409', '413', '415', '422', '500', '503'])
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
