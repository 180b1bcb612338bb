import { Closed, defineJob, OneOf, Uuid } from '#kernel'
import { removeCopies, removePicture } from './remove.ts'

/** After the commit that took a picture from its owner: the storage may not answer at once. */
export const deletePicture = defineJob('pictures.delete', {
  payload: Closed({ id: Uuid }),
  transaction: 'manual',
  outbound: true,
  handler: (ctx, { id }) => removePicture(ctx, id),
})

/** An hour after the commit by which a picture was moved: what is left in the storage that it is not read from. */
export const deleteCopies = defineJob('pictures.delete_copies', {
  payload: Closed({ id: Uuid, backend: OneOf(['local', 's3']) }),
  transaction: 'manual',
  outbound: true,
  handler: (ctx, { id, backend }) => removeCopies(ctx, id, backend),
})
