import type { Plant } from './plant.ts'

const kit = ['core/test/isolation.test.ts']
const cases = ['core/test/cases.test.ts']

/** What tests are told of modules, and what the isolation kit makes of it. */
export const plants: readonly Plant[] = [
  {
    guard: 'A core that serves loads no cases',
    file: 'core/src/modules/stores/index.ts',
    find: "import { defineModule } from '#kernel'\n",
    replace: "import { defineModule } from '#kernel'\nimport './stores.cases.ts'\n",
    tests: cases,
  },
  {
    guard: 'Cases of a route that is gone are named',
    file: 'core/src/testing/isolation/cases.ts',
    find: 'filter((name) => !names.includes(name))',
    replace: 'filter((name) => names.length === 0 && name)',
    tests: cases,
  },
  {
    guard: 'What a case expects of an answer is looked at by the isolation kit',
    file: 'core/src/testing/isolation/proof.ts',
    find: '      await look(world, route, { answer, filling, whose }, findings)\n',
    replace: '',
    tests: kit,
  },
  {
    guard: 'The isolation kit tries single modules with what the others have made',
    file: 'core/src/testing/isolation/run.ts',
    find: 'routes.filter((route) => !isTried(route))',
    replace: 'routes.filter((route) => isTried(route) && false)',
    tests: kit,
  },
  {
    guard: 'The isolation kit sends what names another tenant’s inside of bytes',
    file: 'core/src/testing/isolation/across.ts',
    find: 'parts = await across(world.a, world.b)',
    replace: 'parts = await across(world.a, world.a)',
    tests: ['core/test/isolation-ways.test.ts'],
  },
  {
    guard: 'The isolation kit wants to be told of raw bodies',
    file: 'core/src/testing/isolation/across.ts',
    find: 'raw !== undefined || named',
    replace: 'named',
    tests: ['core/test/isolation-ways.test.ts'],
  },
  {
    guard: 'The isolation kit tries ids that stand in a union',
    file: 'core/src/testing/isolation/samples.ts',
    find: '    ...anyOf.flatMap((each) => idPlaces(each, path, name)),\n',
    replace: '',
    tests: ['core/src/testing/isolation/samples.test.ts'],
  },
]
