// Who is signed in, with their companies and roles.
import { call, currentTenant, endSession, keepSession } from './api.js'
import { byId, complain, onPress, report, retitle, sentenceFor, show, texts } from './screen.js'

const { account } = texts
const part = (place, name) => place.querySelector(`[data-is=${name}]`)

/** Shows the account in `place` and says `greeting`; once signed out, `after` stands in its place. */
export async function showAccount(place, greeting, after) {
  const [me, tenants] = await Promise.all([call('GET', 'users/me'), listTenants()])
  const failed = [me, tenants].find(({ status }) => status !== 200)
  if (failed) return complain(sentenceFor(failed))
  const title = byId('title').textContent
  show(place, 'account')
  retitle(account.title)
  part(place, 'name').textContent = me.body.name
  part(place, 'email').textContent = me.body.email
  part(place, 'unverified').hidden = me.body.email_verified_at !== null
  drawTenants(place, tenants.data)
  onPress(place.querySelector('[data-does=resend]'), resend)
  onPress(place.querySelector('[data-does=sign-out]'), async () => {
    await endSession()
    place.replaceChildren(...after)
    retitle(title)
    report(account.signedOut)
  })
  report(greeting)
}

async function listTenants() {
  const data = []
  for (let query = ''; ; ) {
    const answer = await call('GET', `users/me/tenants${query}`)
    if (answer.status !== 200) return answer
    data.push(...answer.body.data)
    // The header names the address of the next ones (RFC 8288).
    const next = /<[^>?]*(\?[^>]*)>; *rel="next"/.exec(answer.link ?? '')
    if (!next) return { status: 200, data }
    query = next[1]
  }
}

function drawTenants(place, memberships) {
  part(place, 'none').hidden = memberships.length > 0
  part(place, 'tenants').replaceChildren(...memberships.map((membership) => drawTenant(place, membership, memberships)))
}

function drawTenant(place, { tenant, roles, is_owner }, memberships) {
  const row = byId('tenant').content.cloneNode(true)
  const isHere = tenant.id === currentTenant()
  part(row, 'tenant').textContent = tenant.name
  part(row, 'roles').textContent = describeRoles(roles, is_owner)
  part(row, 'here').hidden = !isHere
  const button = row.querySelector('[data-does=switch]')
  button.hidden = isHere
  button.textContent = account.switch
  button.setAttribute(
    'aria-label',
    account.switchTo.replace('{name}', () => tenant.name),
  )
  onPress(button, async () => {
    const answer = await call('POST', 'auth/switch-tenant', { tenant_id: tenant.id })
    if (answer.status !== 200) return complain(sentenceFor(answer))
    keepSession(answer.body)
    drawTenants(place, memberships)
    report(account.switched.replace('{name}', () => tenant.name))
  })
  return row
}

function describeRoles(roles, isOwner) {
  const names = roles.map(({ name, store_id }) => (store_id === null ? say(name) : `${say(name)} (${account.inStore})`))
  return [...new Set(isOwner ? [account.roles.owner, ...names] : names)].join(', ') || account.noRoles
}

/** Built-in roles in the reader's language; those that a company made have the name that it gave them. */
function say(role) {
  return Object.hasOwn(account.roles, role) ? account.roles[role] : role
}

async function resend() {
  const answer = await call('POST', 'auth/resend-verification', {})
  if (answer.status === 202) report(account.resent)
  else complain(sentenceFor(answer))
}
