import type { Plant } from './plant.ts'

const tests = ['core/test/store-isolation.test.ts']
const application = ['examples/catalog/isolation.test.ts']
const kit = ['core/test/isolation.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A permission in one store is worth nothing in another store that is named by header, path or field',
    file: 'core/src/kernel/http/authorize.ts',
    find: 'if (named === null || !heldIn.includes(named))',
    replace: 'if (named === null)',
    tests: application,
  },
  {
    guard: 'A list shows the rows of the caller’s stores alone',
    file: 'core/src/kernel/db/page.ts',
    find: 'const limited = ctx.narrow(query).limit(limit)',
    replace: 'const limited = query.limit(limit)',
    tests: application,
  },
  {
    guard: 'A handler that never narrowed the rows that its route declares answers nobody',
    file: 'core/src/kernel/http/perform.ts',
    find: '    assertNarrowed(ctx)\n',
    replace: '',
    tests,
  },
  {
    guard: 'A query that cannot be narrowed is refused to whoever sees every store, too',
    file: 'core/src/kernel/http/authorize.ts',
    find: 'return rule?.rows ? new StoreSight(null, permission, rule.rows) : undefined',
    replace: 'return undefined',
    tests,
  },
  {
    guard: 'A query that is narrowed leaves out the rows of stores out of sight',
    file: 'core/src/kernel/access/store-scope.ts',
    find: 'if (this.stores === null) return query',
    replace: 'if (this.stores !== undefined) return query',
    tests: application,
  },
  {
    guard: 'A row in a store out of sight is a row that never was',
    file: 'core/src/kernel/access/store-scope.ts',
    find: 'if (this.stores !== null && (storeId === null || !this.stores.includes(storeId)))',
    replace: 'if (this.stores === undefined && (storeId === null || !this.stores.includes(storeId)))',
    tests: application,
  },
  {
    guard: 'A list that stores narrow and that does not say where its rows stand is refused at start',
    file: 'core/src/kernel/access/store-scope.ts',
    find: 'if (isList && rows === null)',
    replace: 'if (isList && rows === undefined)',
    tests,
  },
  {
    guard: 'Who sees a person by one store is not told of that person’s roles in others',
    file: 'core/src/modules/members/present.ts',
    find: 'store_id === null || stores === null || stores.includes(store_id)',
    replace: 'store_id === null || stores === null || store_id !== undefined',
    tests: kit,
  },
]
