import type { TestCore } from './core.ts'
import type { Filling } from './isolation/types.ts'
import type { TestPerson } from './people.ts'

const known = new WeakMap<TestCore, Promise<TestPerson>>()

/** The credential of a super admin, in a case of a route that is for operators: the same person in each of a core. */
export async function asOperator(test: TestCore): Promise<Required<Pick<Filling, 'token' | 'again'>>> {
  const operator = known.get(test) ?? test.addOperator(['all'])
  known.set(test, operator)
  const person = await operator
  return { token: await person.token(), again: () => person.in().token() }
}
