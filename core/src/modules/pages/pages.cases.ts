import assert from 'node:assert/strict'
import type { Cases, RouteCase } from '../../testing/index.ts'

/** It is of this type and has these words. */
const shows = (words: string, type = 'text/html'): RouteCase => ({
  see: ({ text, headers }) => {
    assert.ok(String(headers['content-type']).startsWith(type))
    assert.ok(text.includes(words), text)
  },
})

const page = (title: string) => shows(`<h1 id="title" tabindex="-1">${title}</h1>`)

const cases: Cases = {
  routes: {
    'GET /': page('Tenantry'),
    'GET /sign-in': page('Sign in'),
    'GET /verify-email': page('Confirm your e-mail address'),
    'GET /accept-invite': page('Accept your invitation'),
    'GET /forgot-password': page('Forgot your password?'),
    'GET /reset-password': page('Choose a new password'),
    'GET /unsubscribe': page('No more mails like that one?'),
    'GET /pages/style.css': shows('color-scheme: light dark', 'text/css'),
    'GET /pages/main.js': shows('takeToken', 'text/javascript'),
    'GET /pages/account.js': shows('showAccount', 'text/javascript'),
    'GET /pages/api.js': shows('keepSession', 'text/javascript'),
    'GET /pages/screen.js': shows('complain', 'text/javascript'),
  },
}

export default cases
