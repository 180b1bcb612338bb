// What each page does. The page's name is on its body, its parts are in its templates.
import { showAccount } from './account.js'
import { callAsNobody, keepSession } from './api.js'
import {
  byId,
  complain,
  dropIntro,
  fieldProblems,
  finish,
  markFields,
  offer,
  onPress,
  onSubmit,
  sentenceFor,
  show,
  texts,
} from './screen.js'

const token = takeToken()
const starts = {
  'verify-email': verifyEmail,
  'reset-password': resetPassword,
  'forgot-password': forgotPassword,
  'accept-invite': acceptInvite,
  'sign-in': signIn,
  unsubscribe,
}
starts[document.body.dataset.page]()

/** The token of the link. It leaves the address bar, and with it the history and what is copied from there. */
function takeToken() {
  const found = new URLSearchParams(location.search).get('token')
  if (location.search) history.replaceState(null, '', location.pathname)
  return found
}

function verifyEmail() {
  // Pressed by a person: programs that look at mails open their links, and must not use them up.
  onlyWithToken((form) => onSubmit(form, () => spend(form, 'auth/verify-email', { token })))
}

function unsubscribe() {
  // The address that mail programs use by themselves; people are asked first, since programs open links to look at them.
  const path = `../../unsubscribe?token=${encodeURIComponent(token ?? '')}`
  onlyWithToken((form) =>
    onSubmit(form, async () => {
      const answer = await callAsNobody(path, { 'List-Unsubscribe': 'One-Click' })
      if (answer.status === 200) finish(form)
      else refuse(form, answer, { invalid_request: texts.problems.noToken })
    }),
  )
}

function resetPassword() {
  onlyWithToken((form) => onSubmit(form, ({ password }) => spend(form, 'auth/reset-password', { token, password })))
}

function forgotPassword() {
  const form = document.querySelector('form')
  onSubmit(form, ({ email }) => spend(form, 'auth/forgot-password', { email }))
}

function onlyWithToken(begin) {
  const form = document.querySelector('form')
  if (token) return begin(form)
  form.remove()
  dropIntro()
  complain(texts.problems.noToken)
}

async function spend(form, path, body) {
  const answer = await callAsNobody(path, body)
  if (answer.status >= 200 && answer.status < 300) finish(form)
  else refuse(form, answer)
}

function refuse(form, answer, wording) {
  const problems = fieldProblems(answer)
  // What belongs to no field of this form is said above it.
  const elsewhere = markFields(form, problems) || problems.length === 0 ? {} : { invalid_request: say(problems) }
  complain(sentenceFor(answer, { ...elsewhere, ...wording }))
  if (isOver(answer)) form.remove()
}

/** Whether the link is worth nothing any more; then it says so, and what to do instead. */
function isOver({ body: { code } }) {
  if (code !== 'token_expired' && code !== 'invalid_token') return false
  dropIntro()
  offer(code === 'invalid_token' && byId('spent') ? 'spent' : 'expired')
  return true
}

const say = (problems) => problems.map(({ text }) => text).join(' ')

/** Nobody's token is spent by asking: without a password the server only says what it needs. */
async function acceptInvite() {
  const step = byId('step')
  const looking = byId('looking')
  if (!token) {
    looking.remove()
    dropIntro()
    return complain(texts.problems.noToken)
  }
  looking.hidden = false
  const answer = await callAsNobody('auth/accept-invite', { token })
  looking.hidden = true
  const { code } = answer.body
  if (code === 'invalid_request') return askNew()
  if (code === 'unauthenticated') return askKnown()
  complain(sentenceFor(answer))
  if (isOver(answer) || (answer.status !== 0 && answer.status < 429)) return
  show(step, 'again')
  onPress(step.querySelector('button'), () => {
    step.replaceChildren()
    complain()
    return acceptInvite()
  })

  function askNew() {
    show(step, 'new')
    onSubmit(step.querySelector('form'), ({ name, password }) =>
      accept(name.trim() === '' ? { token, password } : { token, password, name }),
    )
  }

  function askKnown() {
    show(step, 'known')
    onSubmit(step.querySelector('form'), ({ password }) => accept({ token, password }))
  }

  async function accept(body) {
    const answer = await callAsNobody('auth/accept-invite', body)
    const form = step.querySelector('form')
    if (answer.status === 200) return enter(answer, step, byId('done').content.firstElementChild.textContent)
    // Who registered elsewhere in the meantime proves that account.
    if (answer.body.code === 'unauthenticated') return askKnown()
    refuse(form, answer, { invalid_credentials: texts.problems.password })
  }
}

function signIn() {
  const step = byId('step')
  const before = [...step.childNodes]
  const form = step.querySelector('form')
  onSubmit(form, async (credentials) => {
    const answer = await callAsNobody('auth/login', credentials)
    if (answer.status !== 200) return refuse(form, answer)
    form.reset()
    return enter(answer, step, '', before)
  })
}

/**
 * Goes in with the tokens of an answer, unless it asks for more than these pages can take. `after` is what stands there
 * when the person has signed out; by default the way to sign in.
 */
function enter(
  { body },
  place,
  greeting,
  after = [...byId('done').content.cloneNode(true).lastElementChild.childNodes],
) {
  if (body.two_factor_required) return complain(texts.problems.secondFactor)
  keepSession(body)
  dropIntro()
  return showAccount(place, greeting, after)
}
