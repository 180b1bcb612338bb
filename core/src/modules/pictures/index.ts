import { defineModule } from '#kernel'
import { pictureEncoder } from './encoder.ts'
import { deleteCopies, deletePicture } from './jobs.ts'
import { pictureRoutes } from './routes.ts'
import { storedPictures } from './stored.ts'
import { sweepPictures } from './sweep.ts'

export { type PictureForm, pictureErrors } from './encoder.ts'
export { getPicture, keepPicture, pictureUrl, replacePicture } from './operations.ts'
export { measurePicture, removePicture } from './remove.ts'
export type { PictureRow } from './table.ts'
export type { PictureKind } from './variants.ts'

/** Pictures that people and tenants show: made small and harmless, kept, and shown to everybody who knows their address. */
export const pictures = defineModule({
  name: 'pictures',
  description: 'Pictures that people and tenants show.',
  migrations: new URL('./migrations/', import.meta.url),
  rateLimits: {
    pictures: {
      per: 'person',
      max: 20,
      windowSeconds: 60,
      description: 'New pictures, each of which costs as much as hundreds of other requests',
    },
  },
  routes: pictureRoutes,
  jobs: [deletePicture, deleteCopies],
  schedules: [sweepPictures],
  stored: [storedPictures],
  resources: [pictureEncoder],
  cases: () => import('./pictures.cases.ts'),
})
