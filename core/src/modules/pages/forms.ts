import { type Html, html, nothing } from './layout.ts'
import type { Texts } from './texts-en.ts'

interface Field {
  /** The name of the field in the API. */
  name: 'email' | 'password' | 'name'
  label: string
  type: 'email' | 'password' | 'text'
  autocomplete: string
  hint?: string
  required?: boolean
}

/** A field with its label, its hint and an element for its problem. */
export function field({ name, label, type, autocomplete, hint, required = true }: Field, texts: Texts): Html {
  const limits = type === 'password' ? html`maxlength="1024"` : html`maxlength="254"`
  const quiet = html`spellcheck="false" autocapitalize="${type === 'text' ? 'words' : 'none'}"`
  return html`<div class="field">
<label for="${name}">${label}${required ? nothing : html` <span class="hint optional">(${texts.fields.optional})</span>`}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" ${limits} ${quiet}
${required ? html`required` : nothing} aria-describedby="${hint ? html`${name}-hint ` : nothing}${name}-problems">
${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing}
<ul class="problems" id="${name}-problems" hidden></ul>
${type === 'password' ? showPassword(texts) : nothing}
</div>`
}

function showPassword(texts: Texts): Html {
  return html`<label class="check"><input type="checkbox" data-shows="password"> <span>${texts.fields.show}</span></label>`
}

export const emailField = (texts: Texts): Html =>
  field({ name: 'email', label: texts.fields.email, type: 'email', autocomplete: 'username' }, texts)

export const passwordField = (texts: Texts): Html =>
  field({ name: 'password', label: texts.fields.password, type: 'password', autocomplete: 'current-password' }, texts)

export function newPasswordField(texts: Texts, minLength: number): Html {
  const hint = texts.fields.newPasswordHint.replace('{count}', String(minLength))
  const label = texts.fields.newPassword
  return field({ name: 'password', label, type: 'password', autocomplete: 'new-password', hint }, texts)
}

/**
 * A form sent by the script. Messages appear in the two notices above it: one is read out at once (problems), the other
 * when the screen reader is idle.
 */
export function form(fields: readonly Html[], submit: string): Html {
  // Fields of a hidden step could be found by their ids, so each form is alone on its page or in a template.
  return html`<form method="post" novalidate>
${fields}
<button type="submit">${submit}</button>
</form>`
}

/** Elements in which the script shows messages. */
export const notices: Html = html`<p class="notice bad" id="alert" role="alert"></p>
<p class="notice good" id="status" role="status" tabindex="-1"></p>
<p id="next" hidden></p>`
