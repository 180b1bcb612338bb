import { defineError } from '#kernel'

export const fileLocked = defineError('file_locked', 423, 'The file is locked away')
