import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderMailboxPage, renderMailPage } from './mailbox-pages.ts'

describe('the pages', () => {
  const hostile = `"><script>alert(1)</script>'&`
  const view = { basePath: '/box', timeZone: 'Europe/Zurich' }
  const stored = {
    id: '01890000-0000-7000-8000-000000000000',
    created_at: '2026-03-03T13:00:00.000Z',
    from: hostile,
    to: hostile,
    subject: hostile,
    text: `Go to https://app.test/verify-email?token=abc&x=1 or javascript:alert(1) ${hostile}`,
    html: `<p onclick="x">${hostile}</p>`,
  }

  test('show what mails hold without letting any of it become markup', () => {
    for (const page of [renderMailboxPage([stored], { ...view, to: '">' }), renderMailPage(stored, view)]) {
      assert.doesNotMatch(page, /<script|<p onclick|javascript:[^<]*"/)
      assert.ok(page.includes('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;'))
      assert.doesNotMatch(page, /<(link|img)\b|\ssrc=|@import|url\(/)
    }
  })

  test('the list links to each mail, and says when there is none', () => {
    const page = renderMailboxPage([stored], view)
    assert.match(page, new RegExp(`href="/box/${stored.id}"`))
    assert.match(page, />One mail\.</)
    assert.match(renderMailboxPage([], view), /No mail yet/)
  })

  test('the list shows the mails to one recipient, in letters of any case, and offers all there are', () => {
    const mails = ['ada@example.com', 'ben@example.com', 'ada@example.com'].map((to) => ({
      ...stored,
      to,
      subject: to,
    }))
    const page = renderMailboxPage(mails, { ...view, to: 'ADA@' })
    assert.match(page, /2 mails to ADA@\./)
    assert.equal(page.split('class="subject"').length - 1, 2)
    assert.deepEqual(
      [...page.matchAll(/<option value="([^"]+)"/g)].map(([, to]) => to),
      ['ada@example.com', 'ben@example.com'],
    )
    assert.match(page, /href="\/box\?to=ada%40example\.com"/)
    assert.match(renderMailboxPage(mails, { ...view, to: 'carl' }), /No mail to carl\./)
  })

  test('times are those of the place, for people and for programs', () => {
    for (const page of [renderMailboxPage([stored], view), renderMailPage(stored, view)])
      assert.ok(page.includes('<time datetime="2026-03-03T13:00:00.000Z">3 Mar 2026, 14:00:00 CET</time>'), page)
  })

  test('addresses break at their joints', () => {
    const page = renderMailPage({ ...stored, to: 'ada.byron+x@mail.example.com' }, view)
    assert.ok(page.includes('ada<wbr>.byron+<wbr>x@<wbr>mail<wbr>.example<wbr>.com'))
  })

  test('links of the text can be followed; the HTML part sits in a frame that may do nothing', () => {
    const page = renderMailPage(stored, view)
    const href = 'https://app.test/verify-email?token=abc&amp;x=1'
    assert.ok(page.includes(`<a href="${href}" rel="noopener noreferrer">${href}</a>`))
    assert.match(
      page,
      /<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"[^>]* srcdoc="&lt;base target=&quot;_blank&quot;&gt;&lt;p onclick=&quot;x&quot;&gt;/,
    )
    assert.equal(page.split('javascript:').length - 1, 1)
  })
})
