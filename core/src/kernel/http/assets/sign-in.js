// A sign-in beside Authorize, so that operations can be tried without a token from elsewhere. The token stays in this
// page's memory and is gone with a reload. There is none where the document has no operation that signs people in.
const ENDS_SOON = 'That sign-in has ended. Sign in again.'
const NO_ANSWER = 'The server did not answer. Check that it runs, and try again.'
const SECOND_FACTOR =
  'This account has a second factor, which this page cannot ask for. Sign in elsewhere, and enter the access token under Authorize.'
const NO_TOKEN = 'The server answered without an access token.'

/** Follows a reference within the document. */
const resolved = (spec, node) =>
  node?.$ref
    ? node.$ref
        .split('/')
        .slice(1)
        .reduce((found, name) => found?.[name], spec)
    : node

/** The public operation whose body needs an e-mail address and a password, and nothing else. */
function findSignIn(spec) {
  for (const [path, { post }] of Object.entries(spec.paths ?? {})) {
    const body = resolved(spec, post?.requestBody?.content?.['application/json']?.schema)
    const required = [...(body?.required ?? [])].sort()
    if (post?.security?.length === 0 && String(required) === 'email,password')
      return { path, takesTenant: 'tenant_id' in body.properties }
  }
  return undefined
}

const pathOf = (spec, operationId) =>
  Object.entries(spec.paths ?? {}).find(([, { post }]) => post?.operationId === operationId)?.[0]

const bearerOf = (spec) =>
  Object.entries(spec.components?.securitySchemes ?? {}).find(([, { scheme }]) => scheme === 'bearer')?.[0]

/** Addresses are relative to the page: the server may stand behind a path of a proxy. */
const send = (path, body, token) =>
  fetch(`..${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body && JSON.stringify(body),
  })

/** What went wrong, in a sentence. */
function sentenceOf(answer, problem) {
  const wait = answer.headers.get('retry-after')
  const said = String(problem.detail ?? problem.title ?? `The server answered ${answer.status}`).replace(/\.?$/, '.')
  return answer.status === 429 && wait ? `${said} Try again in ${wait} seconds.` : said
}

/** Signs in; the token and whose it is, or what went wrong. */
async function trySignIn(path, fields) {
  const body = Object.fromEntries([...fields].filter(([, value]) => value.trim() !== ''))
  let answer
  try {
    answer = await send(path, body)
  } catch {
    return { problem: NO_ANSWER }
  }
  const given = await answer.json().catch(() => ({}))
  if (!answer.ok) return { problem: sentenceOf(answer, given) }
  if (given.two_factor_required) return { problem: SECOND_FACTOR }
  if (typeof given.access_token !== 'string') return { problem: NO_TOKEN }
  const { access_token: token, expires_in: seconds, user, tenant } = given
  return { token, seconds, who: user?.name ?? body.email, where: tenant?.name ?? null }
}

window.signInPlugin = () => ({
  wrapComponents: {
    AuthorizeBtnContainer: (AuthorizeButton, system) => {
      const { React } = system
      const create = React.createElement
      return function WithSignIn(props) {
        const spec = system.specSelectors.specJson().toJS()
        const [operation, scheme] = [findSignIn(spec), bearerOf(spec)]
        const form = operation && scheme ? create(SignIn, { spec, operation, scheme, system }) : null
        return create(React.Fragment, null, create(AuthorizeButton, props), form)
      }
    },
  },
})

function SignIn({ spec, operation, scheme, system }) {
  const { React } = system
  const [state, setState] = React.useState({})
  const timer = React.useRef()
  const section = React.useRef()
  // On a phone the keyboard leaves room for the field alone: what went wrong would be said below it, unseen.
  React.useEffect(() => {
    if (state.problem) section.current.querySelector('[role=status]').scrollIntoView({ block: 'nearest' })
  }, [state])
  const leave = (said) => {
    clearTimeout(timer.current)
    system.authActions.logout([scheme])
    setState({ said })
  }
  const signIn = async (event) => {
    event.preventDefault()
    const fields = new FormData(event.target)
    setState({ isBusy: true })
    const { problem, ...entered } = await trySignIn(operation.path, fields)
    if (problem) return setState({ problem })
    window.ui.preauthorizeApiKey(scheme, entered.token)
    timer.current = setTimeout(() => leave(ENDS_SOON), entered.seconds * 1000)
    setState(entered)
  }
  const signOut = () => {
    const path = pathOf(spec, 'logout')
    // It ends by itself where this does not arrive.
    if (path) send(path, undefined, state.token).catch(() => {})
    leave('You are signed out.')
  }
  const create = React.createElement
  return create(
    'section',
    { className: 'sign-in', 'aria-label': 'Sign in', ref: section },
    state.token ? signedIn(create, state, signOut) : entrance(create, state, operation, signIn),
  )
}

function entrance(create, { isBusy, problem, said }, { takesTenant }, signIn) {
  return create(
    'form',
    { onSubmit: signIn },
    field(create, 'email', 'E-mail', { autoComplete: 'username', inputMode: 'email', required: true }),
    field(create, 'password', 'Password', { autoComplete: 'current-password', type: 'password', required: true }),
    takesTenant && field(create, 'tenant_id', 'Tenant id (optional)', { autoComplete: 'off' }),
    create('button', { type: 'submit', className: 'btn authorize', disabled: isBusy }, 'Sign in'),
    create(
      'p',
      { role: 'status', className: problem ? 'problem' : undefined },
      problem ?? said ?? (isBusy ? 'One moment …' : ''),
    ),
  )
}

function field(create, name, label, attributes) {
  const id = `sign-in-${name}`
  return create(
    'div',
    null,
    create('label', { htmlFor: id }, label),
    create('input', { id, name, type: 'text', spellCheck: false, autoCapitalize: 'none', ...attributes }),
  )
}

function signedIn(create, { who, where }, signOut) {
  const place = where === null ? 'in no tenant' : `in ${where}`
  return create(
    'div',
    { className: 'signed-in' },
    create(
      'p',
      { role: 'status' },
      `Signed in as ${who}, ${place}. Operations that you try out are sent as this person.`,
    ),
    create('button', { type: 'button', className: 'btn', onClick: signOut }, 'Sign out'),
  )
}
