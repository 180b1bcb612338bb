import type { Plant } from './plant.ts'

const FILES = 'core/src/modules/files'
const judging = [`${FILES}/judge-type.test.ts`, `${FILES}/text-bytes.test.ts`]
const naming = [`${FILES}/names.test.ts`]

export const plants: Plant[] = [
  {
    guard: 'A file whose extension is not taken is refused',
    file: `${FILES}/judge-type.ts`,
    find: 'if (!extension || !allowed.includes(extension))',
    replace: 'if (!extension)',
    tests: judging,
  },
  {
    guard: 'A file without an extension is refused, whatever stands in the list',
    file: `${FILES}/judge-type.ts`,
    find: 'if (!extension || !allowed.includes(extension))',
    replace: 'if (!allowed.includes(extension))',
    tests: judging,
  },
  {
    guard: 'A declared type that is none is refused',
    file: `${FILES}/judge-type.ts`,
    find: 'if (type === undefined) return false',
    replace: 'if (type === undefined) return true',
    tests: judging,
  },
  {
    guard: 'A file whose content nobody recognises is refused where its kind has a mark',
    file: `${FILES}/judge-type.ts`,
    find: 'if (!found) return false',
    replace: 'if (!found) return true',
    tests: judging,
  },
  {
    guard: 'A text is no picture because of its first two letters',
    file: `${FILES}/judge-type.ts`,
    find: "if (kind.bytes === 'binary' && isText(head)) return false",
    replace: '',
    tests: judging,
  },
  {
    guard: 'A document that is written in letters is no text',
    file: `${FILES}/judge-type.ts`,
    find: 'return isText(head) && !(found && WRITTEN.has(found.mediaType))',
    replace: 'return isText(head)',
    tests: judging,
  },
  {
    guard: 'An extension that an operator adds opens no way for content of another',
    file: `${FILES}/judge-type.ts`,
    find: 'return BUILDING_BLOCKS.has(found.mediaType) || isReadable(head, found)',
    replace: 'return true',
    tests: judging,
  },
  {
    guard: 'An extension that an operator adds opens no way for declared types of another',
    file: `${FILES}/judge-type.ts`,
    find: 'kind.aliases.includes(type) : !isKnownType(type)',
    replace: 'kind.aliases.includes(type) : true',
    tests: judging,
  },
  {
    guard: 'A text has no control characters',
    file: `${FILES}/text-bytes.ts`,
    find: 'if (CONTROLS.has(code)) return false',
    replace: 'if (code === 256) return false',
    tests: judging,
  },
  {
    guard: 'A rule of types without a word lets nothing in',
    file: `${FILES}/kinds.ts`,
    find: 'return patterns.some((pattern) => {',
    replace: 'return patterns.every((pattern) => {',
    tests: [`${FILES}/kinds.test.ts`],
  },
  {
    guard: 'The name of a file is the last part of a path',
    file: `${FILES}/names.ts`,
    find: "const last = given.split(/[/\\\\]/).at(-1) ?? ''",
    replace: 'const last = given',
    tests: naming,
  },
  {
    guard: 'The name of a file shows no other ending than it has',
    file: `${FILES}/names.ts`,
    find: '(index % 2 === 1 ? part : withoutInvisible(part))',
    replace: 'part',
    tests: naming,
  },
  {
    guard: 'The name of a file is no device',
    file: `${FILES}/names.ts`,
    find: 'return DEVICE.test(plain) ?',
    replace: 'return plain.length > 1_000 ?',
    tests: naming,
  },
  {
    guard: 'The name of a file that becomes too long by being made safe is refused',
    file: `${FILES}/names.ts`,
    find: 'if (filename.length > MAX_LENGTH || Buffer.byteLength(filename) > MAX_BYTES)',
    replace: 'if (filename.length > 10 * MAX_BYTES)',
    tests: naming,
  },
  {
    guard: 'No name of a file ends the header Content-Disposition',
    file: `${FILES}/disposition.ts`,
    find: "filename.toWellFormed().replace(/[\\p{Cc}/\\\\]/gu, '_')",
    replace: 'filename.toWellFormed()',
    tests: naming,
  },
  {
    guard: 'No name of a file ends its own quotes in Content-Disposition',
    file: `${FILES}/disposition.ts`,
    find: ".replace(/[\"%]/g, '_')",
    replace: '',
    tests: naming,
  },
  {
    guard: 'A range of bytes ends where the content does',
    file: 'core/src/kernel/http/ranges.ts',
    find: 'end: Math.min(end, size - 1)',
    replace: 'end',
    tests: ['core/src/kernel/http/ranges.test.ts'],
  },
  {
    guard: 'A range of bytes that begins behind the content is unsatisfiable',
    file: 'core/src/kernel/http/ranges.ts',
    find: 'return start < size ?',
    replace: 'return start <= size ?',
    tests: ['core/src/kernel/http/ranges.test.ts'],
  },
]
