// Calls of the API, and the session of this page. Tokens are in memory alone: what closes the page ends them here.

// Relative, since the server may stand behind a path of a proxy.
const BASE = new URL('api/v1/', document.baseURI)

let session

/** Begins or goes on with a session by the tokens of an answer. */
export function keepSession({ access_token, refresh_token, tenant_id }) {
  session = { access: access_token, refresh: refresh_token, tenantId: tenant_id }
}

export function currentTenant() {
  return session?.tenantId
}

/** Ends the session, on the server too if it can be told. */
export async function endSession() {
  const ended = session
  session = undefined
  if (ended) await send('POST', 'auth/logout', {}, ended.access)
}

/** An answer: `{ status, body, retryAfter, link }`; status 0 when there was none. Asks as nobody. */
export function callAsNobody(path, body) {
  return send('POST', path, body)
}

/** The same as whoever is signed in. A token that has ended is renewed once. */
export async function call(method, path, body) {
  const answer = await send(method, path, body, session?.access)
  if (answer.status !== 401 || answer.body.code !== 'access_token_expired') return answer
  const renewed = await send('POST', 'auth/refresh', { refresh_token: session?.refresh })
  if (renewed.status !== 200) return renewed
  keepSession(renewed.body)
  return send(method, path, body, session.access)
}

async function send(method, path, body, token) {
  const headers = {}
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  try {
    const response = await fetch(new URL(path, BASE), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    })
    const text = await response.text()
    const retryAfter = Number(response.headers.get('retry-after')) || 60
    return { status: response.status, body: parse(text), retryAfter, link: response.headers.get('link') }
  } catch {
    return { status: 0, body: {}, retryAfter: 0 }
  }
}

/** A proxy that answers in place of the server may send anything. */
function parse(text) {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}
