import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builtinModules } from '../../core/src/modules/index.ts'
import * as choice from './choice.ts'

const root = new URL('../..', import.meta.url).pathname
const files = choice.findTestFiles(root)
const from = (paths: string) => paths.split(' ').map((path) => `core/src/modules/${path}.test.ts`)

describe('words', () => {
  const some = from('auth/seats authz/authz authz/plan stores/stores members/races')

  const named = (words: string[]) => choice.chooseNamed(some, words).named

  it('name folders and files whole where they can, and else parts of paths', () => {
    assert.deepEqual(named(['auth']), from('auth/seats'))
    assert.deepEqual(named(['races', 'stores']), from('stores/stores members/races'))
    assert.deepEqual(named(['uth']), from('auth/seats authz/authz authz/plan'))
    assert.deepEqual(named(['./core/src/modules/authz/plan.test.ts']), from('authz/plan'))
  })

  it('that name nothing are told', () => {
    assert.deepEqual(choice.chooseNamed(some, ['stores', 'shops']).unknown, ['shops'])
  })
})

describe('the lists', () => {
  it('name files that are there', () => {
    const lists = [
      choice.ON_ONE_CONNECTION,
      choice.ALSO_ON_FIFTEEN,
      choice.BESIDE_STATEMENTS,
      choice.LONGEST,
      Object.keys(choice.ALONE),
    ]
    const isThere = (name: string) =>
      files.some((file) => `/${file.replaceAll('\\', '/')}`.endsWith(`/${name}.test.ts`))
    assert.deepEqual(
      lists.flat().filter((name) => !isThere(name)),
      [],
    )
  })

  it('have something of every module on PostgreSQL 15', () => {
    const chosen = files.filter(choice.isAlwaysOnFifteen).map((file) => file.replaceAll('\\', '/'))
    // Names alone: what two lists of modules differ in takes all memory to be written down.
    const names = builtinModules.map(({ name }) => name)
    const isMissing = (name: string) => !chosen.some((file) => file.startsWith(`core/src/modules/${name}/`))
    assert.deepEqual(names.filter(isMissing), [])
  })

  it('put the longest first, in the order of the list, and lose no file', () => {
    const ordered = choice.longestFirst(files)
    const isNext = (name: string, index: number) =>
      `/${ordered[index]?.replaceAll('\\', '/')}`.endsWith(`/${name}.test.ts`)
    assert.ok(choice.LONGEST.every(isNext), ordered.slice(0, choice.LONGEST.length).join())
    assert.deepEqual(ordered.sort(), files.toSorted())
  })
})
