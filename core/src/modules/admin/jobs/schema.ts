import { Closed, Described, ListQuery, Nullable, OneOf, Timestamp, Type, Uuid } from '#kernel'

const status = OneOf(['waiting', 'running', 'failed'], {
  description: '`waiting`: for its time, or to be tried again; `failed`: given up',
})
const task = Type.String({ description: 'What kind of work it is', examples: ['auth.send_reset_mail'] })

export const Job = Closed(
  {
    id: Described(Uuid, 'Its id: a UUIDv7, so that what was made later sorts later'),
    task,
    status,
    attempts: Type.Integer({ description: 'How often it was begun' }),
    max_attempts: Type.Integer({ description: 'After how many it is given up' }),
    last_error: Nullable(Type.String({ description: 'What it failed with the last time; null: it never did' })),
    run_at: Described(Timestamp, 'When it runs, or was last to run'),
    tenant_id: Nullable(Described(Uuid, 'The tenant that it works in; null: none')),
  },
  { title: 'Job', description: 'Work that goes on in the background; what it is about is not shown' },
)
export type Job = Type.Static<typeof Job>

export const JobQuery = ListQuery({
  status: Type.Optional(status),
  task: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Of this kind alone' })),
  tenant_id: Type.Optional(Described(Uuid, 'In this tenant alone')),
})
export type JobFilter = Pick<Type.Static<typeof JobQuery>, 'status' | 'task' | 'tenant_id'>

export const JobParams = Closed({ id: Uuid })

/** What records keep of an act on a job. */
export const JobAct = Closed(
  {
    id: Described(Uuid, 'The job'),
    task,
    status: Described(status, 'What it was when it was acted on'),
    attempts: Type.Integer({ description: 'How often it had been begun' }),
    tenant_id: Nullable(Described(Uuid, 'The tenant that it works in; null: none')),
  },
  { title: 'JobAct' },
)
