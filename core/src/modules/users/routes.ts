import { Closed, defineRoute } from '#kernel'
import { pictureErrors } from '../pictures/index.ts'
import { addMyAvatar, changeMe, readMe, removeMyAvatar } from './operations.ts'
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

const setMyAvatar = defineRoute({
  method: 'POST',
  path: '/users/me/avatar',
  name: 'setMyAvatar',
  summary: 'Show a picture of yourself',
  description:
    'JPEG, PNG, WebP, GIF or AVIF in the part `file`, up to 10 MiB and 50 megapixels. It is turned upright and cut to a square around its middle; what it says beside its pixels (where it was taken, say) is not kept.',
  access: 'self',
  transaction: 'manual',
  form: Closed({}),
  rateLimit: 'pictures',
  response: { 200: User },
  errors: pictureErrors,
  handler: (ctx, { form }) => addMyAvatar(ctx, form),
})

const deleteMyAvatar = defineRoute({
  method: 'DELETE',
  path: '/users/me/avatar',
  name: 'deleteMyAvatar',
  summary: 'Show no picture of yourself',
  access: 'self',
  response: { 204: null },
  handler: (ctx) => removeMyAvatar(ctx),
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

export const userRoutes = [getMe, updateMe, setMyAvatar, deleteMyAvatar, getMySettings, updateMySettings]
