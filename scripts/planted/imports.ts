import type { Plant } from './plant.ts'

const AUTH = 'core/src/modules/auth'
const hashes = [`${AUTH}/passwords/foreign-hashes.test.ts`]
const signIns = [`${AUTH}/sign-in/imported-passwords.test.ts`]
const imports = ['core/test/people-import.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A password that is changed while an imported one is hashed anew stays changed',
    file: `${AUTH}/queries.ts`,
    find: "    .where('hash', '=', oldHash)\n",
    replace: '',
    tests: signIns,
  },
  {
    guard: 'Of sign-ins at the same time that hash an imported password anew none is refused',
    file: `${AUTH}/sign-in/sign-in.ts`,
    find: 'if (proven.freshHash === null || ',
    replace: 'if (true || ',
    tests: signIns,
  },
  {
    guard: 'An imported hash is replaced at the first sign-in',
    file: `${AUTH}/passwords/hasher.ts`,
    find: 'return { ok: true, rehash: true }',
    replace: 'return { ok: true, rehash: false }',
    tests: signIns,
  },
  {
    guard: 'A wrong password against an imported hash costs no less than one for nobody',
    file: `${AUTH}/passwords/hasher.ts`,
    find: 'if (!matches || bytes === undefined) return verifyNothing(password)',
    replace: 'if (!matches || bytes === undefined) return { ok: false, rehash: false }',
    tests: hashes,
  },
  {
    guard: 'An imported hash whose check would keep a server busy is refused',
    file: `${AUTH}/passwords/foreign-keys.ts`,
    find: '128 * N * r > SCRYPT_MAX_BYTES || ',
    replace: '',
    tests: hashes,
  },
  {
    guard: 'An import never exceeds a plan, whoever joins at the same time',
    file: `${AUTH}/import/import-people.ts`,
    find: "  if (place) await consume(ctx, 'users', group.length)\n",
    replace: '',
    tests: imports,
  },
  {
    guard: 'A line of an import whose hash is not taken says why without the hash, and nothing of it is written',
    file: `${AUTH}/import/entry.ts`,
    find: "return complain('password_hash', error.message)",
    replace: 'return null',
    tests: imports,
  },
  {
    guard: 'A dry run of an import writes nothing',
    file: `${AUTH}/import/import-people.ts`,
    find: '      else await writeAll(ctx, tasks, { places, ours })\n',
    replace: '      await writeAll(ctx, tasks, { places, ours })\n',
    tests: imports,
  },
]
