import type { Cases } from '../../testing/index.ts'

const cases: Cases = {}

export default cases
