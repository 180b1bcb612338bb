/** A permission that a module declares, by its code. */
export interface PermissionSpec {
  description: string
  /** `store`: may be granted for a single store too (default `tenant`: only for the whole tenant). */
  scope?: 'tenant' | 'store'
  /** Built-in roles that hold it beside `owner`, who holds everything (default: `admin`). */
  roles?: readonly string[]
}

/** Something that a plan allows only so many of. `plans`: how many, by the plan's code, where the plan itself does not say. */
export type LimitSpec = {
  title: string
  /** A plan that is not named, or null, allows any number. */
  plans?: Readonly<Record<string, number | null>>
} & (
  | {
      /** The kind "have at once": the tenant-owned table whose rows count; deleting a row frees its place. */
      counts: string
      /** A column of that table: until when a row counts; null as long as it is there. Default: as long as it is there. */
      until?: string
      per?: undefined
      holds?: undefined
    }
  | {
      /**
       * The kind "have at once, in amounts": what is counted, in the plural (`bytes`). Its module says by `consume` and `release`
       * how much comes and goes.
       */
      holds: string
      counts?: undefined
      until?: undefined
      per?: undefined
    }
  | {
      /** The kind "in this period": counted up from zero in each period of the subscription. */
      per: 'period'
      counts?: undefined
      until?: undefined
      holds?: undefined
    }
  | {
      /** The kind "requests in a minute": nothing is used up; a rate limit takes it as its `max`. */
      per: 'minute'
      counts?: undefined
      until?: undefined
      holds?: undefined
    }
)

/** Something that a plan includes or not. */
export interface FeatureSpec {
  title: string
  /** Codes of the plans that include it, where the plan itself does not say. Default: all. */
  plans?: readonly string[]
}
