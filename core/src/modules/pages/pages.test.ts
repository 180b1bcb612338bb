import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { linkTo } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { mailsTo, registerUnproven, tokenTo } from '../auth/auth.fixture.ts'
import { catalogues, textsFor } from './language.ts'
import { html } from './layout.ts'
import { english } from './texts-en.ts'

const PATHS = ['/', '/sign-in', '/verify-email', '/accept-invite', '/forgot-password', '/reset-password']

describe('the pages for people', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore()
  })
  after(() => test.close())

  const get = (path: string, headers: Record<string, string> = {}) => test.app.inject({ url: path, headers })

  it('are there, and run nothing that is not a file of this server', async () => {
    for (const path of PATHS) {
      const { statusCode, headers, body } = await get(path)
      assert.equal(statusCode, 200, path)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.doesNotMatch(
        body,
        /<script(?! type="module" src="pages\/main\.js"><)|<style| style=| on\w+=|https?:/,
        path,
      )
      const policy = String(headers['content-security-policy'])
      for (const rule of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ])
        assert.ok(policy.split('; ').includes(rule), `${path}: ${rule}`)
      assert.doesNotMatch(policy, /unsafe|\*/)
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      for (const [, part] of body.matchAll(/(?:src|href)="(pages\/[^"]+)"/g)) {
        const file = await get(`/${part}`)
        assert.equal(file.statusCode, 200, part)
        assert.match(String(file.headers['content-type']), /^text\/(css|javascript)/)
        assert.equal(file.headers['x-content-type-options'], 'nosniff')
      }
    }
    assert.equal((await get('/pages/index.ts')).statusCode, 404)
  })

  it('say that accounts are made by invitation where nobody can register, and only there', async () => {
    const closed = await createTestCore({ database: test.database, env: { REGISTRATION: 'closed' } })
    const shown = (await closed.app.inject('/sign-in')).body
    await closed.close()
    assert.match(shown, /made by invitation here/)
    assert.doesNotMatch((await get('/sign-in')).body, /invitation/)
  })

  it('load every part that their script asks for', async () => {
    const { body } = await get('/pages/main.js')
    const parts = [...body.matchAll(/from '\.\/([\w.]+)'/g)].map(([, part]) => part)
    assert.ok(parts.length >= 3)
    for (const part of parts) assert.equal((await get(`/pages/${part}`)).statusCode, 200, part)
  })

  it('take whatever a mail program adds to the address, and give nothing of it back', async () => {
    for (const path of PATHS) {
      const { statusCode, body } = await get(`${path}?token=s3cret-"><b>&utm_source=mail&x[]=1`)
      assert.equal(statusCode, 200, path)
      assert.doesNotMatch(body, /s3cret|utm_source/)
    }
    assert.ok(!test.logs.some((line) => line.includes('s3cret')))
  })

  it('spend no token when they are opened, by GET or by HEAD', async () => {
    const { email } = await registerUnproven(test)
    const token = await tokenTo(test, email, 'Confirm')
    for (const method of ['GET', 'HEAD'] as const)
      assert.equal((await test.app.inject({ method, url: `/verify-email?token=${token}` })).statusCode, 200)
    const { status } = await test.request('POST', '/api/v1/auth/verify-email', { body: { token } })
    assert.equal(status, 204)
  })

  it('speak the language that the reader likes best', async () => {
    const wishes = {
      'de-CH,en;q=0.5': 'de',
      'en;q=0.5, de;q=0.9': 'de',
      'fr, de;q=0.3, en;q=0.2': 'de',
      'de;q=0, en': 'en',
      'fr;q=1': 'en',
      '*': 'en',
      'de;q=nonsense': 'en',
    }
    for (const [wish, language] of Object.entries(wishes)) {
      const { headers, body } = await get('/sign-in', { 'accept-language': wish })
      assert.equal(headers['content-language'], language, wish)
      assert.match(body, new RegExp(`<html lang="${language}"`))
      assert.match(String(headers.vary), /accept-language/)
    }
    assert.equal(textsFor(null), english)
  })

  it('say the same things in every language', () => {
    const shape = (texts: object, path = ''): string[] =>
      Object.entries(texts).flatMap(([name, value]) =>
        typeof value === 'string'
          ? [`${path}${name} ${[...value.matchAll(/\{\w+\}/g)].sort().join()}`]
          : shape(value, `${path}${name}.`),
      )
    for (const texts of catalogues) assert.deepEqual(shape(texts), shape(english), texts.language)
  })
})

describe('the first page', () => {
  const production = {
    NODE_ENV: 'production',
    APP_SECRET: randomBytes(32).toString('base64'),
    PUBLIC_URL: 'https://core.example.com',
    MAIL: 'off',
  }
  const INSTALLATIONS: Record<string, string>[] = [
    {},
    { MAIL: 'off' },
    { SMTP_URL: 'smtp://127.0.0.1:25', MAIL_FROM: 'till@example.com' },
    production,
    { ...production, API_DOCS_PUBLIC: 'true' },
  ]
  for (const env of INSTALLATIONS)
    it(`links only to what is there: ${Object.keys(env).join(', ') || 'with no setting'}`, async () => {
      const test = await createTestCore({ env })
      try {
        const { body } = await test.app.inject({ url: '/' })
        const links = [...body.matchAll(/<a href="([^"]+)"/g)].map(([, href]) => `/${href}`)
        assert.ok(links.includes('/sign-in') && links.includes('/health/ready'), links.join())
        for (const link of links) {
          const { statusCode, headers } = await test.app.inject({ url: link })
          assert.ok(statusCode === 200 || statusCode === 302, `${link}: ${statusCode}`)
          if (headers.location) assert.equal((await test.app.inject({ url: headers.location })).statusCode, 200, link)
        }
        const isKept = (await test.app.inject({ url: '/dev/mailbox' })).statusCode === 200
        assert.equal(links.includes('/dev/mailbox'), isKept)
      } finally {
        await test.close()
      }
    })
})

describe('the links in mails', () => {
  it('lead where the settings say', async () => {
    const env = {
      PUBLIC_URL: 'https://core.example.com',
      PAGE_VERIFY_EMAIL: 'https://app.example.com/#/confirm/{token}',
      PAGE_SIGN_IN: 'https://app.example.com/in?from=core&x="y"',
    }
    const test = await createTestCore({ env })
    try {
      const { email } = await registerUnproven(test)
      const [mail] = await mailsTo(test, email)
      assert.match(mail?.text ?? '', /https:\/\/app\.example\.com\/#\/confirm\/[\w.-]+\n/)
      const { body } = await test.app.inject({ url: '/verify-email' })
      assert.match(body, /<a href="https:\/\/app\.example\.com\/in\?from=core&amp;x=&quot;y&quot;">/)
    } finally {
      await test.close()
    }
  })

  it('carry their token in whatever address it is', () => {
    const publicUrl = 'https://core.example.com'
    const link = (template: string, token?: string) =>
      linkTo({ publicUrl, pages: { ...pagesOf('/x'), '/verify-email': template } }, '/verify-email', token)
    assert.equal(link('/verify', 'a b'), `${publicUrl}/verify?token=a%20b`)
    assert.equal(link('/verify?lang=de', 't'), `${publicUrl}/verify?lang=de&token=t`)
    assert.equal(link('https://a.example/v/{token}', 'a/b'), 'https://a.example/v/a%2Fb')
    assert.equal(link('/verify'), `${publicUrl}/verify`)
    assert.equal(linkTo({ publicUrl }, '/reset-password', 't'), `${publicUrl}/reset-password?token=t`)
  })
})

describe('text in a page', () => {
  it('is escaped wherever it stands', () => {
    const text = `<script>"'&`
    assert.equal(html`<p title="${text}">${text}</p>${[html`<i>${text}</i>`]}`.html.match(/<script|"'/), null)
  })
})

function pagesOf(path: string) {
  return {
    '/verify-email': path,
    '/reset-password': path,
    '/accept-invite': path,
    '/forgot-password': path,
    '/unsubscribe': path,
    '/sign-in': path,
  }
}
