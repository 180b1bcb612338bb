import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { hash as argon2Hash } from '@node-rs/argon2'
import { createPasswordHasher, PasswordQueueFull } from './hasher.ts'

const hasher = createPasswordHasher()
after(() => hasher.close())

describe('hashing', () => {
  test('a password matches its own hash and nothing else', async () => {
    const hash = await hasher.hash('correct horse battery')
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.deepEqual(await hasher.verify(hash, 'correct horse battery'), { ok: true, rehash: false })
    assert.deepEqual(await hasher.verify(hash, 'Correct horse battery'), { ok: false, rehash: false })
  })

  test('the same password typed in another Unicode form matches; spaces count', async () => {
    const hash = await hasher.hash(' Zo\u00eb caf\u00e9 \ufb01n ')
    assert.equal((await hasher.verify(hash, ' Zoe\u0308 cafe\u0301 fin ')).ok, true)
    assert.equal((await hasher.verify(hash, 'Zo\u00eb caf\u00e9 fin')).ok, false)
  })

  test('every byte of a long password counts; one that is too long is refused and never matches', async () => {
    const long = 'x'.repeat(1024)
    const hash = await hasher.hash(long)
    assert.equal((await hasher.verify(hash, long)).ok, true)
    assert.equal((await hasher.verify(hash, `${long.slice(1)}y`)).ok, false)
    await assert.rejects(hasher.hash(`${long}x`), RangeError)
    assert.equal((await hasher.verify(await argon2Hash(''), `${long}x`)).ok, false)
  })

  test('a hash of lower cost asks for a new one, but only after the right password', async () => {
    for (const weaker of [{ memoryCost: 8192 }, { timeCost: 1 }]) {
      const hash = await argon2Hash('correct horse', { memoryCost: 19_456, timeCost: 2, parallelism: 1, ...weaker })
      assert.deepEqual(await hasher.verify(hash, 'correct horse'), { ok: true, rehash: true })
      assert.deepEqual(await hasher.verify(hash, 'wrong horse'), { ok: false, rehash: false })
    }
    const stronger = await argon2Hash('correct horse', { memoryCost: 20_000, timeCost: 3, parallelism: 1 })
    assert.deepEqual(await hasher.verify(stronger, 'correct horse'), { ok: true, rehash: false })
  })

  test('what is no hash is an error that does not repeat it', async () => {
    await assert.rejects(hasher.verify('hunter2', 'x'), (error: Error) => !error.message.includes('hunter2'))
  })
})

test('checking against nothing says no and costs what a check costs', async () => {
  const hash = await hasher.hash('correct horse battery')
  const measure = async (work: () => Promise<unknown>) => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  /** Measured in turns, so that a slow moment of the machine meets both. */
  const compare = async () => {
    const ratios: number[] = []
    for (let round = 0; round < 7; round++) {
      const nothing = await measure(() => hasher.verifyNothing('wrong'))
      ratios.push(nothing / (await measure(() => hasher.verify(hash, 'wrong'))))
    }
    return ratios.sort((a, b) => a - b)[3] ?? 0
  }
  assert.deepEqual(await hasher.verifyNothing('correct horse battery'), { ok: false, rehash: false })
  const seen: number[] = []
  // What costs more by itself does so each time, whatever else the machine has to do.
  const isAlike = (ratio = 0) => ratio > 0.4 && ratio < 2.5
  while (!isAlike(seen.at(-1)) && seen.length < 8) seen.push(await compare())
  assert.ok(isAlike(seen.at(-1)), `ratios ${seen}`)
})

describe('the queue', () => {
  test('refuses at once what exceeds it, serves the rest in order, and recovers', async () => {
    const small = createPasswordHasher({ concurrency: 1, queueLimit: 2 })
    const done: number[] = []
    const attempts = [1, 2, 3, 4, 5].map((n) => small.verifyNothing(`${n}`).then(() => done.push(n)))
    const outcomes = await Promise.allSettled(attempts)
    assert.deepEqual(done, [1, 2, 3])
    for (const outcome of outcomes.slice(3)) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof PasswordQueueFull)
    }
    await small.verifyNothing('again')
    await small.close()
  })

  test('a failed computation gives its place back', async () => {
    const small = createPasswordHasher({ concurrency: 1, queueLimit: 0 })
    const damaged = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$'
    await small.verify(damaged, 'x').catch(() => undefined)
    await small.verifyNothing('x')
    await small.close()
  })

  test('does not hold the event loop', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await Promise.all(Array.from({ length: 50 }, () => hasher.verifyNothing('x')))
    clearInterval(timer)
    assert.ok(ticks >= 5, `${ticks} ticks`)
  })

  test('closing finishes what was accepted and takes no more', async () => {
    const small = createPasswordHasher({ concurrency: 1 })
    let finished = 0
    const accepted = [1, 2, 3].map(() => small.verifyNothing('x').then(() => finished++))
    await Promise.all([small.close(), small.close()])
    await Promise.all(accepted)
    assert.equal(finished, 3)
    await assert.rejects(small.hash('x'), PasswordQueueFull)
  })
})
