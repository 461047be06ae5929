// Samples by what was measured and who did it: their medians, how Avocet stands beside each, and what it is held to.
import { ADD, ADD_FILE, BROWSERS, FIRST_LARGE, FIRST_SMALL, FROM_KUBO, READ, SIZED, TO_KUBO } from './names.mjs'

const MB = 1_000_000
const OURS = 'avocet'

/** How often as fast as another Avocet is to be, or in how many ms it is to be done. */
const TARGETS = [
  { name: ADD, against: 'raw', reach: 0.8 },
  { name: ADD, against: 'helia', reach: 2.5 },
  { name: ADD_FILE, against: 'raw', reach: 0.8 },
  { name: ADD_FILE, against: 'helia', reach: 2.5 },
  { name: READ, against: 'raw', reach: 0.8 },
  { name: BROWSERS, against: 'raw', reach: 0.9 },
  { name: BROWSERS, against: 'helia', reach: 2 },
  { name: FIRST_SMALL, reach: 25 },
  { name: FIRST_LARGE, against: 'helia', reach: 4 },
  { name: FROM_KUBO, against: 'helia', reach: 2 },
  { name: TO_KUBO, against: 'helia', reach: 2 }
]

export function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export class Samples {
  /** By row, then by who. @type {Map<string, Map<string, number[]>>} */
  #ms = new Map()
  /** Who failed, and the last reason. @type {Map<string, string>} */
  #failed = new Map()

  /** @param {number | number[]} ms */
  add (name, who, ms) {
    const by = this.#ms.get(name) ?? new Map()
    by.set(who, [...(by.get(who) ?? []), ...[ms].flat()])
    this.#ms.set(name, by)
  }

  fail (who, error) {
    this.#failed.set(who, String(error?.message ?? error).split('\n')[0])
  }

  /** @param {number} size bytes of the files of the sized rows */
  rows (size) {
    return [...this.#ms].map(([name, by]) => {
      const ours = by.get(OURS)
      const row = { name, by: {}, times: {} }
      for (const [who, all] of by) {
        row.by[who] = summary(all, SIZED.has(name) ? size : undefined)
        if (who !== OURS && ours !== undefined) row.times[who] = round(median(all) / median(ours), 100)
      }
      const targets = TARGETS.filter(target => target.name === name).map(target => held(target, row)).filter(Boolean)
      return targets.length > 0 ? { ...row, targets } : row
    })
  }

  failures () {
    return Object.fromEntries(this.#failed)
  }
}

function summary (all, size) {
  const middle = median(all)
  const found = { medianMs: round(middle), minMs: round(Math.min(...all)), maxMs: round(Math.max(...all)), samples: all.length }
  return size === undefined ? found : { ...found, mbPerSecond: round(size / MB / (middle / 1000)) }
}

function held ({ against, reach }, row) {
  const found = against === undefined ? row.by[OURS]?.medianMs : row.times[against]
  if (found === undefined) return undefined
  return against === undefined
    ? { atMostMs: reach, found, reached: found <= reach }
    : { against, atLeast: reach, found, reached: found >= reach }
}

function round (value, by = 10) {
  return Math.round(value * by) / by
}
