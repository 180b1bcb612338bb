import { type Config, hasMailbox, linkTo, type Product } from '#kernel'
import { emailField, field, form, newPasswordField, notices, passwordField } from './forms.ts'
import { type Html, html, nothing, type Page } from './layout.ts'
import type { Texts } from './texts-en.ts'

/** Texts and settings that a page is rendered from. */
export interface View {
  texts: Texts
  config: Config
  product: Product
}

type Draw = (view: View) => Page

export const home: Draw = ({ texts: { home }, config, product }) => {
  const entries = [
    entry(pathTo('/sign-in', config), home.signIn, home.signInHint),
    ...(config.http.apiDocsPublic ? [entry('api/docs', home.docs, home.docsHint)] : []),
    ...(hasMailbox(config) ? [entry('dev/mailbox', home.mailbox, home.mailboxHint)] : []),
    entry('health/ready', home.health, home.healthHint),
  ]
  const content = html`<p>${home.intro}</p>
<ul class="entries">${entries}</ul>`
  return { name: 'home', title: product.name, content, needsScript: false }
}

function entry(href: string, label: string, hint: string): Html {
  return html`<li><a href="${href}">${label}</a> <span class="hint">${hint}</span></li>`
}

export const verifyEmail: Draw = ({ texts, config }) => {
  const { title, intro, submit, done } = texts.verifyEmail
  const content = html`${introduce(intro)}
${notices}
${form([], submit)}
${outcome(done, signInLink(texts, config))}
${template('expired', html`<a href="${pathTo('/sign-in', config)}">${texts.problems.signInForNew}</a>`)}`
  return { name: 'verify-email', title, content, needsScript: true }
}

export const resetPassword: Draw = ({ texts, config }) => {
  const { title, intro, submit, done } = texts.resetPassword
  const content = html`${introduce(intro)}
${notices}
${form([newPasswordField(texts, config.passwords.minLength)], submit)}
${outcome(done, signInLink(texts, config))}
${template('expired', html`<a href="${pathTo('/forgot-password', config)}">${texts.problems.askForNew}</a>`)}`
  return { name: 'reset-password', title, content, needsScript: true }
}

export const forgotPassword: Draw = ({ texts, config }) => {
  const { title, intro, submit, done, back } = texts.forgotPassword
  const link = html`<a href="${pathTo('/sign-in', config)}">${back}</a>`
  const content = html`${introduce(intro)}
${notices}
${form([emailField(texts)], submit)}
${outcome(done, nothing)}
<p>${link}</p>`
  return { name: 'forgot-password', title, content, needsScript: true }
}

export const unsubscribe: Draw = ({ texts }) => {
  const { title, intro, submit, done } = texts.unsubscribe
  const content = html`${introduce(intro)}
${notices}
${form([], submit)}
${outcome(done, nothing)}`
  return { name: 'unsubscribe', title, content, needsScript: true }
}

export const acceptInvite: Draw = ({ texts, config }) => {
  const { title, intro, submit, looking, again, newPerson, knownPerson, done } = texts.acceptInvite
  const nameField = field(
    { name: 'name', label: texts.fields.name, type: 'text', autocomplete: 'name', required: false },
    texts,
  )
  const content = html`${introduce(intro)}
${notices}
<p id="looking">${looking}</p>
<div id="step"></div>
${template(
  'new',
  html`<p>${newPerson}</p>
${form([nameField, newPasswordField(texts, config.passwords.minLength)], submit)}`,
)}
${template(
  'known',
  html`<p>${knownPerson}</p>
${form([passwordField(texts)], submit)}`,
)}
${template('again', html`<button type="button">${again}</button>`)}
${template('expired', html`${texts.problems.askInviter}`)}
${template('spent', signInLink(texts, config))}
${outcome(done, signInLink(texts, config))}
${account(texts)}`
  return { name: 'accept-invite', title, content, needsScript: true }
}

export const signIn: Draw = ({ texts, config }) => {
  const { title, submit, forgot, byInvitation } = texts.signIn
  const content = html`${notices}
<div id="step">
${form([emailField(texts), passwordField(texts)], submit)}
<p><a href="${pathTo('/forgot-password', config)}">${forgot}</a></p>
${config.registration === 'closed' ? html`<p class="hint">${byInvitation}</p>` : nothing}
</div>
${account(texts)}`
  return { name: 'sign-in', title, content, needsScript: true }
}

/** The introduction, hidden once the task is done or has failed. */
const introduce = (intro: string) => html`<p id="intro">${intro}</p>`

/** The signed-in person and their companies, filled in by the script. */
function account({ account }: Texts): Html {
  return template(
    'account',
    html`<p class="person"><strong data-is="name"></strong><br><span data-is="email"></span></p>
<p data-is="unverified" hidden>${account.unverified} <button type="button" class="plain" data-does="resend">${account.resend}</button></p>
<h2>${account.tenants}</h2>
<ul class="tenants" data-is="tenants"></ul>
<p data-is="none" hidden>${account.noTenants}</p>
<p class="hint">${account.forgets}</p>
<button type="button" class="second" data-does="sign-out">${account.signOut}</button>
<template id="tenant"><li><span class="tenant"><strong data-is="tenant"></strong><span class="hint" data-is="roles"></span></span>
<span class="mark" data-is="here" hidden>${account.current}</span>
<button type="button" class="plain" data-does="switch"></button></li></template>`,
  )
}

/** The message and link shown when the task is done. */
function outcome(done: string, next: Html): Html {
  return template('done', html`<span>${done}</span><span>${next}</span>`)
}

const signInLink = (texts: Texts, config: Config) => html`<a href="${pathTo('/sign-in', config)}">${texts.goOn}</a>`

function template(id: string, content: Html): Html {
  return html`<template id="${id}">${content}</template>`
}

/** Built-in pages are linked relatively, so that a reader stays on the address by which they came. */
function pathTo(page: '/sign-in' | '/forgot-password', config: Config): string {
  return config.pages[page] === page
    ? page.slice(1)
    : linkTo({ publicUrl: config.http.publicUrl, pages: config.pages }, page)
}
