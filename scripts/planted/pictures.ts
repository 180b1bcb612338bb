import type { Plant } from './plant.ts'

const PICTURES = 'core/src/modules/pictures'
const ENCODE = `${PICTURES}/encode.test.ts`
const AVATARS = `${PICTURES}/avatars.test.ts`
const STORAGES = `${PICTURES}/storages.test.ts`

/** Pictures: what is decoded, what stays of it, and who sees it. */
export const plants: Plant[] = [
  {
    guard: 'Frames count when a picture is measured',
    file: `${PICTURES}/read.ts`,
    find: 'width * height * pages <= most',
    replace: 'width * height <= most',
    tests: [ENCODE],
  },
  {
    guard: 'A picture that decoding holds in memory several times over has fewer pixels',
    file: `${PICTURES}/read.ts`,
    find: 'isHeld ? heldPixels : pixels',
    replace: 'isHeld ? pixels : pixels',
    tests: [ENCODE],
  },
  {
    guard: 'An AVIF is held in memory when it is decoded',
    file: `${PICTURES}/read.ts`,
    find: "format === 'avif' || (",
    replace: '(',
    tests: [ENCODE],
  },
  {
    guard: 'No more of a picture is read than it may have',
    file: `${PICTURES}/read.ts`,
    find: 'if (bytes > most)',
    replace: 'if (bytes > 2 * most)',
    tests: [ENCODE],
  },
  {
    guard: 'What is no picture is told by name',
    file: `${PICTURES}/read.ts`,
    find: "if ('refused' in found) throw",
    replace: "if ('refused' in found && found.refused === '') throw",
    tests: [ENCODE],
  },
  {
    guard: 'A picture that is cut off is refused',
    file: `${PICTURES}/read.ts`,
    find: "failOn: 'error'",
    replace: "failOn: 'none'",
    tests: [ENCODE],
  },
  {
    guard: 'A picture stands upright',
    file: `${PICTURES}/encode.ts`,
    find: '      .autoOrient()\n',
    replace: '',
    tests: [ENCODE],
  },
  {
    guard: 'Nothing stands in a form beside its picture',
    file: `${PICTURES}/encoder.ts`,
    find: '  await form.fields()\n',
    replace: '',
    tests: [AVATARS],
  },
  {
    guard: 'A picture has an address that nobody guesses',
    file: `${PICTURES}/operations.ts`,
    find: 'const id = randomUUID()',
    replace: "const id = '01926f3c-7b1e-7cc3-98c4-'.concat(randomUUID().slice(-12))",
    tests: [AVATARS],
  },
  {
    guard: 'A picture that was replaced or deleted is not shown',
    file: `${PICTURES}/operations.ts`,
    find: "findPicture(ctx.tx, id, 'attached')",
    replace: 'findPicture(ctx.tx, id)',
    tests: [AVATARS],
  },
  {
    guard: 'The files of a picture that was replaced go',
    file: `${PICTURES}/operations.ts`,
    find: '  await ctx.enqueue(deletePicture, { id: before })\n',
    replace: '',
    tests: [AVATARS],
  },
  {
    guard: 'A picture that nobody came to show leaves nothing',
    file: `${PICTURES}/operations.ts`,
    find: '    await giveUp(ctx, id)\n',
    replace: '',
    tests: [AVATARS],
  },
  {
    guard: 'A picture whose storage is not there is not moved',
    file: `${PICTURES}/move.ts`,
    find: '  if (files.size === 0) throw notThere(from)\n',
    replace: '',
    tests: [STORAGES],
  },
  {
    guard: 'A picture is read from another storage only when that has all of it',
    file: `${PICTURES}/move.ts`,
    find: 'if (lacked !== undefined) throw',
    replace: "if (lacked === '') throw",
    tests: [STORAGES],
  },
  {
    guard: 'Whoever has read the row of a picture a moment ago still finds it where it was',
    file: `${PICTURES}/move.ts`,
    find: ', { runAt })',
    replace: ')',
    tests: [STORAGES],
  },
  {
    guard: 'Copies of a picture go only once the other storage was seen to have them',
    file: `${PICTURES}/remove.ts`,
    find: "if (picture?.state === 'attached')",
    replace: "if (picture?.state === 'removed')",
    tests: [STORAGES],
  },
  {
    guard: 'Of a picture that is taken away while it is moved nothing stays',
    file: `${PICTURES}/move.ts`,
    find: '    return retire(ctx, id, to.backend)\n  }\n  return settle',
    replace: '    return false\n  }\n  return settle',
    tests: [STORAGES],
  },
  {
    guard: 'The sweep leaves a picture that is just being taken in',
    file: `${PICTURES}/sweep.ts`,
    find: 'const LEFT_MS = 1 * DAYS',
    replace: 'const LEFT_MS = 1',
    tests: [`${PICTURES}/crash.test.ts`],
  },
  {
    guard: 'A page that shows pictures by the dozen is not held to the limit of other public routes',
    file: `${PICTURES}/routes.ts`,
    find: "    rateLimit: 'media',\n",
    replace: '',
    tests: [`${PICTURES}/rates.test.ts`],
  },
  {
    guard: 'Pictures of people who have not accepted are not told',
    file: 'core/src/modules/members/present.ts',
    find: 'avatar_url: hasJoined ? pictureUrl(ctx, row.avatar_id) : null',
    replace: 'avatar_url: pictureUrl(ctx, row.avatar_id)',
    tests: [AVATARS],
  },
  {
    guard: 'A colour of buttons and links can be seen on white',
    file: 'core/src/modules/tenants/colors.ts',
    find: 'if (ratio >= VISIBLE) return',
    replace: 'if (ratio >= 1) return',
    tests: ['core/src/modules/tenants/branding.test.ts'],
  },
]
