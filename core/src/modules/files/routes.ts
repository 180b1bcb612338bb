import {
  conflict,
  defineRoute,
  notFound,
  Page,
  payloadTooLarge,
  type Route,
  requestTimeout,
  storageFull,
  unsupportedMediaType,
} from '#kernel'
import { downloadRoutes } from './download/routes.ts'
import { changeFile, pageFiles, restoreFile, seeFile, trashFile } from './operations.ts'
import { presentFile } from './present.ts'
import { File, FileParams, FilePatch, FileQuery, NewFile } from './schema.ts'
import { emptyTrash } from './trash.ts'
import { directRoutes } from './uploads/direct-routes.ts'
import { receiveForm } from './uploads/form.ts'
import { STORAGE } from './uploads/reservation.ts'

const rows = { rows: 'files.store_id' } as const // a shape of a store's scope

export const fileRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/files',
    summary: 'Upload a file',
    description:
      'The fields may come before or after the file. It may have FILE_UPLOAD_MAX_SIZE bytes, or fewer where what it belongs to says so. What the store header names is its store, unless it belongs to something.',
    access: { permission: 'file.create', store: rows },
    storeHeader: true,
    transaction: 'manual',
    limit: STORAGE,
    form: NewFile,
    response: { 201: File },
    errors: [notFound, requestTimeout, payloadTooLarge, unsupportedMediaType, conflict, storageFull],
    handler: (ctx, { form }) => receiveForm(ctx, form),
  }),
  defineRoute({
    method: 'GET',
    path: '/files',
    summary: 'List files',
    description:
      'Newest first, without those in the trash. Files of things that the caller may not see are left out; those of one thing are listed with `entity_type` and `entity_id`.',
    access: { permission: 'file.view', store: rows },
    query: FileQuery,
    response: { 200: Page(File) },
    errors: [notFound],
    handler: (ctx, { query }) => pageFiles(ctx, query),
  }),
  defineRoute({
    method: 'GET',
    path: '/files/:id',
    summary: 'Get a file',
    description: 'What is known of it; its content is under `url`.',
    access: { permission: 'file.view', store: rows },
    params: FileParams,
    response: { 200: File },
    handler: async (ctx, { params }) => presentFile(ctx, await seeFile(ctx, params.id)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/files/:id',
    summary: 'Rename a file, or open it to everybody',
    access: { permission: 'file.update', store: rows },
    params: FileParams,
    body: FilePatch,
    response: { 200: File },
    errors: [conflict],
    handler: (ctx, { params, body }) => changeFile(ctx, params.id, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/files/:id',
    summary: 'Put a file into the trash',
    description: 'For 30 days it can be restored; until then it counts in the quota.',
    access: { permission: 'file.delete', store: rows },
    params: FileParams,
    response: { 204: null },
    handler: (ctx, { params }) => trashFile(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/files/:id/restore',
    summary: 'Take a file out of the trash',
    access: { permission: 'file.delete', store: rows },
    params: FileParams,
    response: { 200: File },
    errors: [conflict],
    handler: (ctx, { params }) => restoreFile(ctx, params.id),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/files/trash',
    name: 'emptyTrash',
    summary: 'Empty the trash',
    description: 'Removes all that is in it now, for good. Of much of it the last part goes some moments later.',
    access: { permission: 'file.delete' },
    // Much is gone for good at once.
    impersonation: 'refused',
    response: { 204: null },
    handler: (ctx) => emptyTrash(ctx),
  }),
  ...directRoutes,
  ...downloadRoutes,
]
