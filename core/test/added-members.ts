import { newId } from '#kernel'
import { login, PASSWORD, type Person } from '../src/modules/auth/auth.fixture.ts'
import type { TestCore } from '../src/testing/index.ts'

export const anAddress = () => `${newId()}@example.com`

/** A new member of that owner's tenant who holds those roles, signed in. */
export async function addMember(test: TestCore, owner: Person, roles: object[] = []): Promise<Person> {
  const body = { email: anAddress(), name: 'Max Member', password: PASSWORD, roles }
  const { status, text, body: made } = await test.request('POST', '/api/v1/users', { token: owner.token, body })
  if (status !== 201) throw new Error(`The member could not be added: ${text}`)
  const { access_token, refresh_token } = (await login(test, body.email)).body
  return {
    email: body.email,
    userId: made.id,
    tenantId: owner.tenantId,
    token: access_token,
    refreshToken: refresh_token,
  }
}
