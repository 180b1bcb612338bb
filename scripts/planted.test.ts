import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readPlants } from './planted/all.ts'
import { problemOf } from './planted/try.ts'

const root = new URL('..', import.meta.url)
const plants = await readPlants()

describe('the planted faults', () => {
  it('fit the code: each stands once where it is to be put, and its tests are there', () => {
    const problems = plants.flatMap((plant) => {
      const text = existsSync(new URL(plant.file, root)) ? readFileSync(new URL(plant.file, root), 'utf8') : ''
      const missing = plant.tests.filter((test) => !existsSync(new URL(test, root)))
      return [problemOf(plant, text), ...missing.map((test) => `there is no ${test}`)]
        .filter((problem) => problem !== null)
        .map((problem) => `${plant.guard}: ${problem}`)
    })
    assert.deepEqual(problems, [])
  })

  it('are each of another guard', () => {
    assert.equal(new Set(plants.map(({ guard }) => guard)).size, plants.length)
  })
})
