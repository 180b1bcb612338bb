import type { Plant } from './plant.ts'

const TRANSACTIONS = ['core/test/kernel-transactions.test.ts']
const PROBLEMS = ['core/test/kernel-problems.test.ts']
const PROBLEM = 'core/src/kernel/http/problem.ts'
const MIGRATION = 'core/src/kernel/migrations/0001.sql'

/** Tenants apart, nothing secret where it can be read, and revocations at once. */
export const plants: Plant[] = [
  {
    guard: 'A server does not start on database roles that row-level security does not bind',
    file: 'core/src/create-core.ts',
    find: 'return assertRolesAreSafe(db, product).then(() =>',
    replace: 'return Promise.resolve(db).then(() =>',
    tests: ['core/test/start.test.ts'],
  },
  {
    guard: "A tenant's rows are shown to that tenant alone, whatever a statement asks for",
    file: MIGRATION,
    find: "using (%I = current_setting(''app.tenant_id'')::uuid)'",
    replace: "using (%I is not null)'",
    tests: TRANSACTIONS,
  },
  {
    guard: 'The tenant of a transaction is set once',
    file: MIGRATION,
    find: `create function tenantry.set_tenant(t uuid) returns void language plpgsql as $$
declare
  ignored text;
begin
  if t is null then
    raise exception 'a tenant is required' using errcode = '22004';
  end if;
  if coalesce(current_setting('app.tenant_id', true), '') not in ('', t::text) then`,
    replace: `create function tenantry.set_tenant(t uuid) returns void language plpgsql as $$
declare
  ignored text;
begin
  if t is null then
    raise exception 'a tenant is required' using errcode = '22004';
  end if;
  if false then`,
    tests: TRANSACTIONS,
  },
  {
    guard: "Another tenant's id is the id of nothing",
    file: 'core/src/modules/stores/queries.ts',
    find: '  const store = await findStore(tx, tenantId, id)\n  if (!store) throw notFound()\n',
    replace:
      "  const store = await findStore(tx, tenantId, id)\n  if (!store) throw new Error('another tenant has it')\n",
    tests: ['core/src/modules/stores/stores.test.ts'],
  },
  {
    guard: 'A changed right is forgotten in the process that changed it, with the commit',
    file: 'core/src/kernel/create-context.ts',
    find: '    this.afterCommit(() => this[CORE].standings.forget(what))\n',
    replace: '',
    tests: ['core/test/kernel-standing.test.ts'],
  },
  {
    guard: 'A changed right is forgotten in every other process at once',
    file: 'core/src/kernel/create-context.ts',
    find: 'JSON.stringify(what)})`.compile(this.tx)',
    replace: "JSON.stringify({ userId: '' })})`.compile(this.tx)",
    tests: ['core/test/kernel-standing.test.ts'],
  },
  {
    guard: 'No line of the log quotes a row that the database refused',
    file: PROBLEM,
    find: 'const names = { sqlstate: sqlState(thrown),',
    replace: 'const names = { err: thrown, sqlstate: sqlState(thrown),',
    tests: PROBLEMS,
  },
  {
    guard: 'No answer tells what went wrong inside',
    file: PROBLEM,
    find: 'return internalError({ cause: error })',
    replace: 'return internalError({ cause: error, detail: String(error) })',
    tests: PROBLEMS,
  },
  {
    guard: 'No line of the log holds what a request asked for beside its path: a token in a link',
    file: 'core/src/kernel/http/build.ts',
    find: '        route: request.routeOptions.url,\n',
    replace: '        route: request.url,\n',
    tests: ['core/src/modules/pages/pages.test.ts'],
  },
  {
    guard: 'No label of a metric names whose things were asked for',
    file: 'core/src/kernel/http/build.ts',
    find: "core.requestDone?.(request.routeOptions.url ?? 'none',",
    replace: 'core.requestDone?.(request.url,',
    tests: ['core/test/probes.test.ts'],
  },
  {
    guard: 'What a schema calls a secret is not recorded',
    file: 'core/src/kernel/events/redact.ts',
    find: '  if (shape.secret) return REDACTED\n',
    replace: '',
    tests: ['core/test/kernel-events.test.ts'],
  },
  {
    guard: 'A value that only the database finds it cannot hold is a bad request',
    file: PROBLEM,
    find: 'if (code !== undefined && UNSTORABLE.has(code))',
    replace: "if (code === '' && UNSTORABLE.has(code))",
    tests: ['core/test/unholdable-values.test.ts'],
  },
  {
    guard: 'A module stands behind what it needs, whatever the order given',
    file: 'core/src/kernel/registry.ts',
    find: 'if (present) visit(present, [...path, module.name])',
    replace: 'if (present) state.get(present.name)',
    tests: ['core/test/kernel-registry.test.ts'],
  },
  {
    guard: 'What a transaction does not wait for fails it all the same',
    file: 'core/src/kernel/db/database.ts',
    find: 'if (failures.length > 0) throw failures[0]\n',
    replace: 'if (failures.length > 0) return\n',
    tests: ['core/test/kernel-transactions.test.ts'],
  },
  {
    guard: 'Nothing is committed when something could not be sent, even if that was swallowed',
    file: 'core/src/kernel/db/database.ts',
    find: 'if (bound.unsent.length > 0) throw bound.unsent[0]\n',
    replace: '\n',
    tests: ['core/test/kernel-connections.test.ts'],
  },
  {
    guard: 'A value that cannot be sent leaves no tenant on the connection',
    file: 'core/src/kernel/db/statement.ts',
    find: 'this.values = (values ?? []).map((value) => prepareValue(value))',
    replace: 'this.values = values ?? []',
    tests: ['core/test/kernel-connections.test.ts'],
  },
  {
    guard: 'A connection whose prepared statements are outdated is replaced',
    file: 'core/src/kernel/db/errors.ts',
    find: ' || isOutdated(error)',
    replace: '',
    tests: ['core/test/kernel-connections.test.ts'],
  },
  {
    guard: 'What only reads as the system role cannot write',
    file: 'core/src/kernel/db/scoped-query.ts',
    find: '  if (readOnly) leads.push({ ...SET_READ_ONLY, values: [] })\n',
    replace: '',
    tests: ['core/test/kernel-transactions.test.ts'],
  },
  {
    guard: 'A statement that cannot be sent fails before COMMIT goes out',
    file: 'core/src/kernel/db/statement.ts',
    find: '    if (refusal) throw refusal\n',
    replace: '    if (refusal) reject(refusal)\n',
    tests: ['core/src/kernel/db/statement.test.ts'],
  },
  {
    guard: 'What only reads cannot write, outside of tenants too',
    file: 'core/src/kernel/db/scoped-query.ts',
    find: "text: \"select set_config('transaction_read_only', 'on', true)\"",
    replace: "text: \"select set_config('transaction_read_only', 'off', true)\"",
    tests: ['core/test/kernel-transactions.test.ts'],
  },
]
