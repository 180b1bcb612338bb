import { globSync } from 'node:fs'
import type { Plant } from './plant.ts'

const NOT_LISTS = ['all.ts', 'copy.ts', 'plant.ts', 'try.ts']

/** Every plant, of every list in this folder. */
export async function readPlants(): Promise<Plant[]> {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((name) => !NOT_LISTS.includes(name))
  const lists = await Promise.all(
    files.sort().map(async (name) => ((await import(`./${name}`)) as { plants: Plant[] }).plants), // what a list exports
  )
  return lists.flat()
}
