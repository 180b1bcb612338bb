import { defineModule } from '#kernel'

export { presentEvent } from './present.ts'
export { Event } from './schema.ts'

/** What happened, in the order of commits, for whoever follows. */
export const events = defineModule({
  name: 'events',
  description: 'What happened, in the order in which it happened, for programs that follow.',
})
