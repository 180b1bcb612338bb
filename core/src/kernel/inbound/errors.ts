import { defineError } from '../errors.ts'

export const signatureInvalid = defineError('signature_invalid', 401, 'The signature does not fit the body')
