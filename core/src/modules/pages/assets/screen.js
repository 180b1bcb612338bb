// What the person sees: notices, problems at fields, buttons that work, parts that come and go.

export const texts = JSON.parse(document.querySelector('meta[name=texts]').content)

export const byId = (id) => document.getElementById(id)

/** Puts the content of a template in the place of all that an element holds. */
export function show(place, template) {
  place.replaceChildren(byId(template).content.cloneNode(true))
}

/** Says what went wrong, at once; nothing takes it back. */
export function complain(text = '') {
  byId('alert').textContent = text
  if (text) byId('status').textContent = ''
  offer()
}

/** Says what went well, if there is anything to say, and moves there, since what was pressed may be gone. */
export function report(text) {
  complain()
  byId('status').textContent = text
  byId(text ? 'status' : 'title').focus()
}

/** What to do next, from a template; nothing when it is left out. */
export function offer(template) {
  const next = byId('next')
  next.hidden = template === undefined
  if (template === undefined) next.replaceChildren()
  else show(next, template)
}

/** Takes away what says what the page is for. */
export function dropIntro() {
  byId('intro')?.remove()
}

/** Ends the page's task: the form goes, a sentence and the way on come. */
export function finish(form) {
  dropIntro()
  const [said, next] = byId('done').content.cloneNode(true).children
  form.remove()
  report(said.textContent)
  if (next.childElementCount === 0) return
  byId('next').replaceChildren(...next.childNodes)
  byId('next').hidden = false
}

export function retitle(text) {
  byId('title').textContent = text
  document.title = text
}

/** The sentence for an answer that is no success. `wording` replaces those of single codes. */
export function sentenceFor({ status, body, retryAfter }, wording = {}) {
  const { problems } = texts
  if (status === 0) return problems.offline
  const known = {
    invalid_token: problems.invalidToken,
    token_expired: problems.tokenExpired,
    invalid_credentials: problems.credentials,
    account_disabled: problems.disabled,
    tenant_suspended: problems.suspended,
    permission_denied: problems.denied,
    session_revoked: problems.ended,
    unauthenticated: problems.ended,
    invalid_refresh_token: problems.ended,
    refresh_token_reused: problems.ended,
    invalid_request: problems.fields,
    unavailable: problems.busy,
    too_many_attempts: problems.tooMany.replace('{minutes}', Math.ceil(retryAfter / 60)),
    rate_limited: problems.tooMany.replace('{minutes}', Math.ceil(retryAfter / 60)),
    ...wording,
  }
  if (Object.hasOwn(known, body.code)) return known[body.code]
  if (status === 502 || status === 503 || status === 504) return problems.busy
  return problems.unknown.replace('{reference}', body.request_id ?? `HTTP ${status}`)
}

/** Marks each field that a problem points to, says all of them there, and moves to the first. Whether any was marked. */
export function markFields(form, problems) {
  for (const input of form.querySelectorAll('input[name]')) {
    const own = problems.filter(({ field }) => field === input.name)
    const list = byId(`${input.name}-problems`)
    list.replaceChildren(...own.map(({ text, language }) => item(text, language)))
    list.hidden = own.length === 0
    if (own.length > 0) input.setAttribute('aria-invalid', 'true')
    else input.removeAttribute('aria-invalid')
  }
  const first = form.querySelector('[aria-invalid]')
  first?.focus()
  return first !== null
}

/** What the server says about the fields, in its own language. */
export function fieldProblems({ body }) {
  const errors = Array.isArray(body.errors) ? body.errors : []
  return errors.map(({ pointer, detail }) => ({
    field: pointer.replace('#/', ''),
    text: sentence(detail),
    language: 'en',
  }))
}

/** What can be said without asking the server. */
export function emptyFields(form) {
  return [...form.querySelectorAll('input[required]')].flatMap(({ name, value, validity }) => {
    if (value === '') return [{ field: name, text: texts.problems.missing, language: texts.language }]
    return validity.typeMismatch ? [{ field: name, text: texts.problems.badEmail, language: texts.language }] : []
  })
}

function item(text, language) {
  const element = document.createElement('li')
  element.textContent = text
  if (language !== texts.language) element.lang = language
  return element
}

/** The API writes some problems to follow the field's name: "is required". */
function sentence(detail) {
  const text = detail.charAt(0).toUpperCase() + detail.slice(1)
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

/** Runs `work` when a button is pressed, once at a time, and says on the button that it is under way. */
export function onPress(button, work) {
  button.addEventListener('click', () => whileWorking(button, work))
}

/** Runs `work` with the form's values when it is sent, as `onPress` does. */
export function onSubmit(form, work) {
  for (const box of form.querySelectorAll('[data-shows]'))
    box.addEventListener('change', () => {
      form.querySelector(`[name=${box.dataset.shows}]`).type = box.checked ? 'text' : 'password'
    })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void whileWorking(form.querySelector('button[type=submit]'), async () => {
      complain()
      if (!markFields(form, emptyFields(form))) return work(Object.fromEntries(new FormData(form)))
      byId('alert').textContent = texts.problems.fields
    })
  })
}

async function whileWorking(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return
  const label = button.textContent
  // Not `disabled`: that would take the focus away from whoever pressed it.
  button.setAttribute('aria-disabled', 'true')
  button.textContent = texts.working
  try {
    await work()
  } finally {
    button.removeAttribute('aria-disabled')
    button.textContent = label
  }
}
