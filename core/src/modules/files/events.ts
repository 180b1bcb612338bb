import { defineEvent } from '#kernel'
import { File } from './schema.ts'

export const fileCreated = defineEvent('file.created', {
  description: 'A file was uploaded',
  data: File,
  published: true,
})
export const fileUpdated = defineEvent('file.updated', {
  description: 'A file was renamed, opened to all or closed, or went to another store with its thing',
  data: File,
  published: true,
})
export const fileTrashed = defineEvent('file.trashed', {
  description: 'A file was put into the trash',
  data: File,
  published: true,
})
export const fileRestored = defineEvent('file.restored', {
  description: 'A file was taken out of the trash',
  data: File,
  published: true,
})
export const fileDeleted = defineEvent('file.deleted', {
  description: 'A file was removed for good: from the trash, where file.trashed has told of it before',
  data: File,
  published: true,
})
export const fileDownloaded = defineEvent('file.downloaded', { description: 'A file was downloaded', data: File })
export const fileLinked = defineEvent('file.linked', {
  description: 'A link was made that downloads a file',
  data: File,
})
export const fileScanned = defineEvent('file.scanned', { description: 'A file was scanned', data: File })
export const fileLost = defineEvent('file.lost', {
  description: 'The storage was found to be without a file',
  data: File,
})
