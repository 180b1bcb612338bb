import type { Plant } from './plant.ts'

const TUS = 'core/src/modules/files/uploads/tus'
const whole = [`${TUS}/tus.test.ts`]
const refused = [`${TUS}/refusals.test.ts`]
const processes = [`${TUS}/processes.test.ts`]
const buckets = [`${TUS}/storages.test.ts`]
const leases = [`${TUS}/lease.test.ts`]
const arriving = [`${TUS}/arriving.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'One request at a time sends to a resumable upload',
    file: `${TUS}/queries.ts`,
    find: "    .where((is) => is.or([is('writer', 'is', null), is('writer_until', '<', change.updated_at)]))\n",
    replace: '',
    tests: leases,
  },
  {
    guard: 'A resumable upload goes on at its own offset alone',
    file: `${TUS}/queries.ts`,
    find: "    .where('received', '=', offset)\n",
    replace: '',
    tests: leases,
  },
  {
    guard: 'A request that lost its lease moves the offset of a resumable upload no more',
    file: `${TUS}/queries.ts`,
    find: "    .where('writer', '=', writer)\n    .where('received', '=', received)\n",
    replace: '',
    tests: processes,
  },
  {
    guard: 'Who has begun a resumable upload sees it, and nobody else',
    file: `${TUS}/queries.ts`,
    find: "    .where('begun_by', '=', by.begunBy)\n",
    replace: '',
    tests: refused,
  },
  {
    guard: 'Who has begun a resumable upload goes on with it, and nobody else',
    file: `${TUS}/queries.ts`,
    find: "    .where('begun_by', '=', begunBy)\n",
    replace: '',
    tests: leases,
  },
  {
    guard: 'A resumable upload whose time is over does not go on',
    file: `${TUS}/queries.ts`,
    find: "    .where('expires_at', '>', change.updated_at)\n",
    replace: '',
    tests: leases,
  },
  {
    guard: 'A finished resumable upload is told to whoever sent it, and nobody else',
    file: `${TUS}/begin.ts`,
    find: 'return uploaded_by === person && (person !== null',
    replace: 'return uploaded_by !== null || (person !== null',
    tests: whole,
  },
  {
    guard: 'The last piece of a resumable upload counts with the file alone',
    file: `${TUS}/receive.ts`,
    find: 'if (upload.received + bytes === sizeOf(upload)) {',
    replace:
      'if (upload.received + bytes === sizeOf(upload)) {\n      await ctx.transaction((ctx) => updateKept(ctx.tx, upload, { bytes, piece, ...timesOf(ctx) }))',
    tests: buckets,
  },
  {
    guard: 'A resumable upload is held against its name as soon as its beginning is there',
    file: `${TUS}/receive.ts`,
    find: '    await requireContent(ctx, upload, source)\n',
    replace: '',
    tests: whole,
  },
  {
    guard: 'A resumable upload that is something else than its name says gives its quota back',
    file: `${TUS}/receive.ts`,
    find: 'if (error instanceof AppError) await ctx.transaction((ctx) => giveUp(ctx, upload))',
    replace: '',
    tests: whole,
  },
  {
    guard: 'A request that sends to an upload that was given up leaves nothing',
    file: `${TUS}/receive.ts`,
    find: 'await leavePiece(ctx, upload, { path, piece })',
    replace: '',
    tests: refused,
  },
  {
    guard: 'Each piece of a resumable upload is held against what was sent when they are joined',
    file: `${TUS}/join.ts`,
    find: "if (hash.digest('hex') !== sha256) throw new StorageDamaged(path)",
    replace: '',
    tests: buckets,
  },
  {
    guard: 'A resumable upload takes no more bytes than it announced',
    file: `${TUS}/arriving.ts`,
    find: 'if (this.#received > this.#most) throw this.#tooMuch()',
    replace: '',
    tests: arriving,
  },
  {
    guard: 'The last bytes of a resumable upload count only when nothing follows them',
    file: `${TUS}/arriving.ts`,
    find: 'if (this.#received === this.#most) await this.peek(1)',
    replace: '',
    tests: arriving,
  },
  {
    guard: 'The whole size of a resumable upload is taken from the quota when it begins',
    file: `${TUS}/begin.ts`,
    find: 'size, reserved: size,',
    replace: 'size, reserved: 0,',
    tests: whole,
  },
  {
    guard: 'An upload that a refused request has begun does not keep its quota',
    file: `${TUS}/protocol.ts`,
    find: '    await store.forget()\n',
    replace: '',
    tests: whole,
  },
  {
    guard: 'Another version of tus is refused',
    file: `${TUS}/protocol.ts`,
    find: "if (method !== 'OPTIONS' && headers['tus-resumable'] !== VERSION)",
    replace: "if (method === 'POST' && headers['tus-resumable'] !== VERSION)",
    tests: refused,
  },
  {
    guard: 'A preflight is answered by the kernel, whatever routes its path has',
    file: 'core/src/kernel/http/build.ts',
    find: "request.is404 || route?.method === 'OPTIONS'",
    replace: 'request.is404',
    tests: ['core/test/cors.test.ts'],
  },
  {
    guard: 'A client of which nothing comes keeps no other connection from going on',
    file: `${TUS}/lease.ts`,
    find: '    if (isIdle()) return\n',
    replace: '',
    tests: leases,
  },
  {
    guard: 'A writer whose lease was taken stops at once',
    file: `${TUS}/arriving.ts`,
    find: '    this.#wake?.()\n',
    replace: '',
    tests: arriving,
  },
]
