import { defineConfiguration, kinds } from '#kernel'
import { DEFAULT_EXTENSIONS } from './kinds.ts'

const GiB = 1024 ** 3

export const fileConfiguration = defineConfiguration({
  FILE_UPLOAD_MAX_SIZE: {
    // A bucket takes no more in parts of the size that is sent.
    kind: kinds.bytes(1, 64 * GiB),
    default: '50MiB',
    description: 'How large one file may be. Things that files belong to may allow less.',
  },
  FILE_ALLOWED_EXTENSIONS: {
    kind: extensions(),
    default: DEFAULT_EXTENSIONS.join(','),
    description:
      'Which files are taken, by the endings of their names. What the core knows of them is compared with the content; other endings are served as `application/octet-stream`.',
  },
})

function extensions() {
  return {
    accepts: 'endings of file names without the dot, comma-separated',
    parse(text: string): readonly string[] {
      const given = text.split(',').map((each) => each.trim().toLowerCase().replace(/^\./, ''))
      if (given.every((each) => /^[a-z\d]{1,20}$/.test(each))) return [...new Set(given)]
      throw new kinds.InvalidSetting('must list endings such as pdf,png,docx, separated by commas')
    },
  }
}
