/** A guard, how to break it, and the test files of which one must then fail. */
export interface Plant {
  /** What is promised, as a sentence. */
  guard: string
  /** From the project's root. */
  file: string
  /** Stands exactly once in the file. */
  find: string
  replace: string
  tests: readonly string[]
}
