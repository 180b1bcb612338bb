import { sha256 } from '#kernel'

/** Of a text, as many bits as a number holds exactly; never 0. */
const numberOf = (text: string) => sha256(text).readUIntBE(0, 6) + 1

/** Texts that were there before. */
export interface Seen {
  has(text: string): boolean
  add(text: string): void
}

/** Remembers texts in sixteen bytes each, where a million of the texts themselves would not be kept. */
export function createSeen(): Seen {
  let slots = new Float64Array(1024)
  let used = 0
  const slotOf = (table: Float64Array, value: number): number => {
    let slot = value % table.length
    while (table[slot] !== 0 && table[slot] !== value) slot = (slot + 1) % table.length
    return slot
  }
  const grow = () => {
    const larger = new Float64Array(slots.length * 2)
    for (const value of slots) if (value !== 0) larger[slotOf(larger, value)] = value
    slots = larger
  }
  return {
    has: (text) => slots[slotOf(slots, numberOf(text))] !== 0,
    add(text) {
      if (used * 2 >= slots.length) grow()
      const value = numberOf(text)
      const slot = slotOf(slots, value)
      if (slots[slot] === 0) used++
      slots[slot] = value
    },
  }
}
