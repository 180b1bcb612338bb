import { defineEvent } from '#kernel'
import { ApiKey, LeakedApiKey } from './schema.ts'

export const apiKeyCreated = defineEvent('api_key.created', { description: 'An API key was made', data: ApiKey })
export const apiKeyImported = defineEvent('api_key.imported', {
  description: 'An API key of another system was taken over by its hash',
  data: ApiKey,
})
export const apiKeyUpdated = defineEvent('api_key.updated', { description: 'An API key changed', data: ApiKey })
export const apiKeyRotated = defineEvent('api_key.rotated', {
  description: 'An API key was replaced by a new one, and ends when its overlap does',
  data: ApiKey,
})
export const apiKeyRevoked = defineEvent('api_key.revoked', { description: 'An API key was revoked', data: ApiKey })
export const apiKeyLeaked = defineEvent('api_key.leaked', {
  description: 'An API key was found where it does not belong, and was revoked',
  data: LeakedApiKey,
})
export const apiKeyExpiring = defineEvent('api_key.expiring', {
  description: 'An API key will expire within a week, or within a day',
  data: ApiKey,
})
