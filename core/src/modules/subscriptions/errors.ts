import { defineError, Type } from '#kernel'
import { Exceeded } from './schema.ts'

/** 422: a name that no module declares, or a value that it cannot have; `errors` says where. */
export const termsInvalid = defineError('terms_invalid', 422, 'Not every limit or feature can be set like this')

/** 422: more is in use than the plan allows; `exceeds` lists each limit with `used` and `max`. */
export const downgradeExceedsLimits = defineError(
  'downgrade_exceeds_limits',
  422,
  'More is in use than this plan allows',
  { exceeds: Type.Array(Exceeded, { description: 'Limits of which more is in use than the plan allows' }) },
)
