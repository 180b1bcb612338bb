import type { Plant } from './plant.ts'

const FILES = 'core/src/modules/files'
const UPLOADS = `${FILES}/uploads`
const direct = [`${UPLOADS}/direct.test.ts`]
const form = [`${UPLOADS}/form.test.ts`]
const interrupted = [`${UPLOADS}/interrupted.test.ts`]
const quota = [`${UPLOADS}/quota.test.ts`]
const ending = [`${UPLOADS}/tus/ending.test.ts`]
const download = [`${FILES}/download/download.test.ts`]
const links = [`${FILES}/download/links.test.ts`]
const files = [`${FILES}/files.test.ts`]
const scan = [`${FILES}/scan.test.ts`]
const kernel = ['core/test/kernel-uploads.test.ts']
const pictures = ['core/src/modules/pictures/encoder.test.ts']

export const plants: Plant[] = [
  {
    guard: 'A finished upload is never another file than the one that was settled first',
    file: `${UPLOADS}/direct-complete.ts`,
    find: 'if (settled.kept[0] !== sha256) throw',
    replace: 'if (settled.kept.length === 0) throw',
    tests: direct,
  },
  {
    guard: 'One request at a time sends to an upload straight to the storage, or completes it',
    file: `${UPLOADS}/direct-queries.ts`,
    find: "is('writer', 'is', null)",
    replace: "is('kind', '=', 'direct')",
    tests: direct,
  },
  {
    guard: 'An upload straight to the storage is held for as long as it comes',
    file: `${UPLOADS}/claim.ts`,
    find: 'if (ctx.clock.ms() - heard >= RENEW_MS) {',
    replace: 'if (ctx.clock.ms() < heard) {',
    tests: direct,
  },
  {
    guard: 'No address is given for a file that the storage does not take in one request',
    file: `${UPLOADS}/direct.ts`,
    find: '    requireSize(ctx.storage.largestDirect, input.size, AT.size)\n',
    replace: '',
    tests: direct,
  },
  {
    guard: 'Who has begun an upload straight to the storage completes it, and nobody else',
    file: `${UPLOADS}/direct-complete.ts`,
    find: ' || found.begun_by !== beginnerOf(ctx)',
    replace: '',
    tests: direct,
  },
  {
    guard: 'A finished upload is told to whoever sent it, or may see files',
    file: `${UPLOADS}/direct-complete.ts`,
    find: "!(isBySender(ctx, file) || ctx.can('file.view', file.store_id))",
    replace: 'isBySender(ctx, file) === undefined',
    tests: direct,
  },
  {
    guard: 'An upload is not completed for a thing that went, or was closed to its sender, meanwhile',
    file: `${UPLOADS}/direct-complete.ts`,
    find: "    await requireFile(ctx, upload, 'change')\n    return finishUpload",
    replace: '    return finishUpload',
    tests: direct,
  },
  {
    guard: 'What comes late for an upload that is over does not stay',
    file: `${UPLOADS}/direct-receive.ts`,
    find: 'if (!isThere && !(await find(ctx, upload))) await',
    replace: 'if (!isThere && (await find(ctx, upload))) await',
    tests: direct,
  },
  {
    guard: 'An upload straight to the storage has as many bytes as it announced',
    file: `${UPLOADS}/direct-receive.ts`,
    find: 'if (received < bytes)',
    replace: 'if (received < 0)',
    tests: direct,
  },
  {
    guard: 'An upload straight to the storage is what its name says',
    file: `${UPLOADS}/direct-complete.ts`,
    find: 'return await requireType(ctx, { filename: upload.filename, declared: upload.content_type, head })',
    replace: 'return upload.content_type ?? String(await requireType.name + head.length)',
    tests: direct,
  },
  {
    guard: 'An upload in a form that is refused leaves neither row nor object nor quota',
    file: `${UPLOADS}/form.ts`,
    find: '    await leave(ctx, upload)\n',
    replace: '    if (upload.id === undefined) await leave(ctx, upload)\n',
    tests: interrupted,
  },
  {
    guard: 'The quota of an announced length is taken before its bytes arrive',
    file: `${UPLOADS}/form.ts`,
    find: 'reserved: part.expected ?? 0,',
    replace: 'reserved: 0,',
    tests: quota,
  },
  {
    guard: 'An upload that was given up becomes no file',
    file: `${UPLOADS}/reservation.ts`,
    find: '  if (!upload) throw givenUp()\n  const missing',
    replace: '  if (!upload) return null as never\n  const missing',
    tests: interrupted,
  },
  {
    guard: 'A thing has no more files than its rule says',
    file: `${UPLOADS}/reservation.ts`,
    find: 'if (used < maxFiles) return',
    replace: 'if (used <= maxFiles) return',
    tests: form,
  },
  {
    guard: 'Nobody adds files to a thing whose rule they do not meet',
    file: `${FILES}/rules.ts`,
    find: '  ctx.require(rule[right], found.storeId)\n',
    replace: '',
    tests: form,
  },
  {
    guard: 'A thing takes the types of its rule alone',
    file: `${FILES}/rules.ts`,
    find: 'if (types && !matchesTypes(contentType, types)) {',
    replace: 'if (types && contentType === String(matchesTypes)) {',
    tests: form,
  },
  {
    guard: 'Who gives an upload up that has become a file hears that there is none',
    file: `${UPLOADS}/tus/begin.ts`,
    find: 'if (!(await giveUp(ctx, upload))) throw notFound()',
    replace: 'await giveUp(ctx, upload)',
    tests: ending,
  },
  {
    guard: 'Pieces that go with an upload that was given up are no damage',
    file: `${UPLOADS}/tus/join.ts`,
    find: 'if (error instanceof FileMissing && !(await isThere(ctx, upload))) throw lost()',
    replace: 'if (error instanceof FileMissing && (await isThere(ctx, upload))) throw lost()',
    tests: ending,
  },
  {
    guard: 'A picture that drips holds no place for long',
    file: 'core/src/modules/pictures/encoder.ts',
    find: 'return await Promise.race([receiveAll(form), late.promise])',
    replace: 'return await Promise.race([receiveAll(form)])',
    tests: pictures,
  },
  {
    guard: 'No more is read around the file of a form than a form needs',
    file: 'core/src/kernel/http/multipart.ts',
    find: 'if (this.#around > MOST_AROUND) this',
    replace: 'if (this.#around < 0) this',
    tests: kernel,
  },
  {
    guard: 'A second file of a form is refused',
    file: 'core/src/kernel/http/multipart.ts',
    find: "else if (this.#content) this.#stop(wrong('file', 'is",
    replace: "else if (this.#state === 'new') this.#stop(wrong('file', 'is",
    tests: kernel,
  },
  {
    guard: 'A form with another file is not answered with what the first one was',
    file: 'core/src/kernel/http/once.ts',
    find: 'if (!digest || digest.sha256 !== answered.sha256) throw',
    replace: 'if (!digest) throw',
    tests: kernel,
  },
  {
    guard: 'A form holds its Idempotency-Key for as long as it takes to arrive',
    file: 'core/src/kernel/http/once.ts',
    find: '.transaction((ctx) => claim.renew(ctx))',
    replace: '.transaction(async (ctx) => void (claim && ctx))',
    tests: kernel,
  },
  {
    guard: 'What of a file is still to arrive is counted exactly',
    file: 'core/src/kernel/http/multipart-size.ts',
    find: 'length - begins - ',
    replace: 'length - begins - 0 * ',
    tests: quota,
  },
  {
    guard: 'A file in the trash is downloaded by nobody',
    file: `${FILES}/download/download.ts`,
    find: '  if (file.trashed_at !== null) throw notFound()\n',
    replace: '',
    tests: links,
  },
  {
    guard: 'A link is worth what its giver may see',
    file: `${FILES}/download/links.ts`,
    find: "if (!person.can('file.view', file.store_id)) throw notFound()",
    replace: '',
    tests: links,
  },
  {
    guard: 'A link shows no file of a thing that its giver does not see',
    file: `${FILES}/download/links.ts`,
    find: "  await requireFile(person, file, 'view').catch(() => Promise.reject(notFound()))\n",
    replace: '',
    tests: links,
  },
  {
    guard: 'A link ends at its time',
    file: `${FILES}/download/links.ts`,
    find: 'if (link.endsAtMs <= ctx.clock.ms()) throw tokenExpired()',
    replace: '',
    tests: links,
  },
  {
    guard: 'Nothing of a suspended tenant is served',
    file: `${FILES}/download/open-tenant.ts`,
    find: "if (tenant?.status !== 'active') throw",
    replace: 'if (!tenant) throw',
    tests: links,
  },
  {
    guard: 'A file that is not public has no address without a credential',
    file: `${FILES}/download/routes.ts`,
    find: 'if (!file?.is_public) throw',
    replace: 'if (!file) throw',
    tests: download,
  },
  {
    guard: 'Who sees no thing downloads no file of it',
    file: `${FILES}/operations.ts`,
    find: "  await requireFile(ctx, file, 'view')\n  return file",
    replace: '  return file',
    tests: download,
  },
  {
    guard: 'No browser runs what somebody has uploaded',
    file: `${FILES}/download/download.ts`,
    find: 'const isShown = inline && INLINE_TYPES.has(content_type)',
    replace: 'const isShown = inline',
    tests: download,
  },
  {
    guard: 'Parts of two files are not joined',
    file: `${FILES}/download/download.ts`,
    find: 'ifRange === undefined || ifRange === etag',
    replace: 'ifRange !== etag || ifRange === etag',
    tests: download,
  },
  {
    guard: 'A file leaves the storage only when the scanner has found it clean',
    file: `${FILES}/scan.ts`,
    find: "if (scan_status === 'none' || scan_status === 'clean') return",
    replace: "if (scan_status !== 'infected') return",
    tests: scan,
  },
  {
    guard: 'A file keeps its ending when it is renamed',
    file: `${FILES}/operations.ts`,
    find: 'if (extensionOf(name.filename) !== ending) throw',
    replace: "if (ending === '') throw",
    tests: files,
  },
  {
    guard: 'What is restored has room in its thing',
    file: `${FILES}/operations.ts`,
    find: '  await requireRoom(ctx, before)\n  return save',
    replace: '  return save',
    tests: files,
  },
]
