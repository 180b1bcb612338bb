import { defineConfiguration, kinds } from '#kernel'

export const loadConfiguration = defineConfiguration({
  LOAD_BY_TENANT: {
    kind: kinds.oneOf('on', 'off'),
    default: 'on',
    description:
      'Whether this process counts what each tenant costs (`GET /admin/load`). `off` stops the counting of this process; figures that there are stay until they are a day old, and throttles hold.',
  },
})
