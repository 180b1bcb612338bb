import { defineModule } from '#kernel'
import { members } from '../members/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { fileConfiguration } from './configuration.ts'
import { recentDownloads } from './download/recent.ts'
import * as events from './events.ts'
import { importedFiles, restoredFiles } from './imported.ts'
import { moveLate, tellMoved } from './move-of.ts'
import { fileRoutes } from './routes.ts'
import { scanFile, scanWaiting } from './scan.ts'
import { emptyMore, purgeTrash } from './trash.ts'
import { trashFilesOfStore, trashMore } from './trash-of.ts'
import { storedFiles } from './upkeep/move.ts'
import { deleteObject, retireCopy } from './upkeep/objects.ts'
import { sweepFiles } from './upkeep/sweep.ts'
import { STORAGE } from './uploads/reservation.ts'
import { tusRoutes } from './uploads/tus/routes.ts'
import { giveUpExpired } from './uploads/upkeep.ts'

export { contentDisposition } from './disposition.ts'
export * from './events.ts'
export { judgeImported } from './imported.ts'
export { HEAD_BYTES } from './judge-type.ts'
export { moveFilesOf } from './move-of.ts'
export { enqueueScan } from './scan.ts'
export { File } from './schema.ts'
export { readToken, type Signed, signToken } from './signed-token.ts'
export { trashFilesOf } from './trash-of.ts'
export { hasFound, type SweepReport } from './upkeep/report.ts'
export { LookFailed, sweepTenant } from './upkeep/sweep.ts'
export { listTenantsToSweep } from './upkeep/sweep-queries.ts'

const GiB = 1024 ** 3
const EVERYBODY = ['admin', 'manager', 'staff', 'viewer']

/** Files that a tenant keeps: uploaded, served, thrown away, each belonging to something or to the tenant. */
export const files = defineModule({
  name: 'files',
  description: 'Files that a tenant keeps: uploads, downloads, links, the trash.',
  dependsOn: [users, tenants, stores, members],
  migrations: new URL('./migrations/', import.meta.url),
  configuration: fileConfiguration,
  permissions: {
    'file.view': { description: 'See and download files', scope: 'store', roles: EVERYBODY },
    'file.create': {
      description: 'Upload files, public ones too',
      scope: 'store',
      roles: ['admin', 'manager', 'staff'],
    },
    'file.update': {
      description: 'Rename files, open and close them to everybody',
      scope: 'store',
      roles: ['admin', 'manager'],
    },
    'file.delete': {
      description: 'Put files into the trash, restore and remove them',
      scope: 'store',
      roles: ['admin', 'manager'],
    },
  },
  limits: { [STORAGE]: { title: 'Storage', holds: 'bytes', plans: { free: 1 * GiB, starter: 10 * GiB } } },
  events: Object.values(events),
  routes: [...fileRoutes, ...tusRoutes],
  jobs: [deleteObject, retireCopy, emptyMore, trashMore, moveLate, tellMoved, scanFile],
  schedules: [purgeTrash, giveUpExpired, scanWaiting, sweepFiles],
  listeners: [trashFilesOfStore],
  stored: [storedFiles],
  resources: [recentDownloads],
  exported: {
    files: { without: ['storage_backend', 'storage_path'], imported: importedFiles, restored: restoredFiles },
    file_uploads: { never: 'uploads under way' },
  },
  cases: () => import('./files.cases.ts'),
})
