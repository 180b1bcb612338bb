import type { Module } from './module.ts'
import type { Holding } from './removal/define.ts'
import { KERNEL_HOLDINGS } from './removal/kernel-holdings.ts'

export type RegisteredHolding = Holding & { readonly module: string }

/** What the kernel and the modules hold of tenants outside of their own tables. Adds to `problems` what is said twice, or does not say what becomes of it. */
export function collectHoldings(modules: readonly Module[], problems: string[]): readonly RegisteredHolding[] {
  const told = [{ name: 'kernel', holdings: KERNEL_HOLDINGS }, ...modules]
  const whose = new Map<string, string>()
  return told.flatMap(({ name: module, holdings }) =>
    holdings.map((holding): RegisteredHolding => {
      for (const column of holding.columns) {
        const place = `${holding.table}.${column}`
        const other = whose.get(place)
        if (other !== undefined) problems.push(`two modules say what becomes of ${place}: ${other} and ${module}`)
        whose.set(place, module)
      }
      // Types prevent it; applications in plain JavaScript need it.
      if (!('remove' in holding ? holding.remove : holding.kept))
        problems.push(
          `what ${module} holds of tenants in ${holding.table} neither goes (remove) nor stays for a reason (kept)`,
        )
      return { ...holding, module }
    }),
  )
}
