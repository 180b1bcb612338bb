import { defineRoute } from '#kernel'
import { changeMe, readMe } from './operations.ts'
import { User, UserChanges } from './schema.ts'

export const getMe = defineRoute({
  method: 'GET',
  path: '/users/me',
  name: 'getMe',
  summary: 'Read your own profile',
  access: 'self',
  response: { 200: User },
  handler: (ctx) => readMe(ctx),
})

export const updateMe = defineRoute({
  method: 'PUT',
  path: '/users/me',
  name: 'updateMe',
  summary: 'Change your own profile',
  description: 'Absent fields stay as they are; `phone: null` clears it.',
  access: 'self',
  body: UserChanges,
  response: { 200: User },
  handler: (ctx, { body }) => changeMe(ctx, body),
})
