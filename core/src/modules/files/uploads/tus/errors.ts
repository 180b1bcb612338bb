import { defineError } from '#kernel'

export const versionUnknown = defineError('tus_version_unknown', 412, 'Only tus 1.0.0 is spoken here')
export const offsetConflict = defineError('upload_offset_conflict', 409, 'The upload stands elsewhere')
export const uploadBusy = defineError('upload_busy', 423, 'Another request is sending to this upload')
