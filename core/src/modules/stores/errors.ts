import { at, defineError } from '#kernel'

/** 409: another store of the tenant has this name or code; `errors` says which. */
export const nameTaken = defineError('name_taken', 409, 'This name or code is already in use')

/** The error for each unique index of `stores`. */
export const takenFields = {
  stores_name_key: () => nameTaken({ errors: [at('name', 'is the name of another store')] }),
  stores_code_key: () => nameTaken({ errors: [at('code', 'is the code of another store')] }),
}
