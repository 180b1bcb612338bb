import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { AppError } from '#kernel'
import { encodePicture } from './encode.ts'
import { readPicture } from './read.ts'

/** Takes in the files named; tells how each was refused, and how far memory grew after the first one. */
const [harmless = '', ...bombs] = process.argv.slice(2)
const take = async (file: string) => encodePicture('avatar', await readPicture(Readable.from([readFileSync(file)])))

await take(harmless)
const before = process.resourceUsage().maxRSS
const refusals: [number, string][] = []
for (const bomb of bombs) {
  const error: unknown = await take(bomb).then(
    () => undefined,
    (error) => error,
  )
  const [problem] = error instanceof AppError ? (error.details.errors ?? []) : []
  refusals.push([error instanceof AppError ? error.status : 0, `${problem?.pointer} ${problem?.detail}`])
}
const grownMiB = Math.round((process.resourceUsage().maxRSS - before) / 1024)
console.log(JSON.stringify({ grownMiB, refusals }))
