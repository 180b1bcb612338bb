import { defineRoute } from '#kernel'
import { changeMe, readMe } from './operations.ts'
import { User, UserChanges, UserSettings, UserSettingsPatch } from './schema.ts'
import { changeUserSettings, readUserSettings } from './settings.ts'

const getMe = defineRoute({
  method: 'GET',
  path: '/users/me',
  name: 'getMe',
  summary: 'Read your own profile',
  access: 'self',
  response: { 200: User },
  handler: (ctx) => readMe(ctx),
})

const updateMe = defineRoute({
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

const getMySettings = defineRoute({
  method: 'GET',
  path: '/users/me/settings',
  name: 'getMySettings',
  summary: 'Read your own settings',
  description: 'They are yours in every tenant.',
  access: 'self',
  settings: 'user',
  response: { 200: UserSettings },
  handler: (ctx) => readUserSettings(ctx),
})

const updateMySettings = defineRoute({
  method: 'PUT',
  path: '/users/me/settings',
  name: 'updateMySettings',
  summary: 'Change your own settings',
  description: 'Absent ones stay as they are.',
  access: 'self',
  settings: 'user',
  body: UserSettingsPatch,
  response: { 200: UserSettings },
  handler: (ctx, { body }) => changeUserSettings(ctx, body),
})

export const userRoutes = [getMe, updateMe, getMySettings, updateMySettings]
