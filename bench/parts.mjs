// The parts of the comparison: who takes part in which, and how their rounds are woven into each other.
import { LONG, within } from '../tests/support/wait.mjs'
import * as avocet from './contenders/avocet.mjs'
import * as helia from './contenders/helia.mjs'
import * as kubo from './contenders/kubo.mjs'
import * as raw from './contenders/raw.mjs'
import * as webtorrent from './contenders/webtorrent.mjs'
import { Samples } from './samples.mjs'

const CONTENDERS = { raw, helia, webtorrent, kubo, avocet }
/** How often a contender may fail in a part before it is left out. */
const FAILURES = 2

/** What a contender exports under a part's name readies it and gives its turn: ms (one or several) by row. */
export const PARTS = ['store', 'transfer', 'dial', 'kubo']

/** One contender in one part: opened when its turn comes, and anew after it has failed. */
class Lane {
  /** @type {undefined | (() => Promise<Record<string, number | number[]>>)} */
  #turn
  #branch
  failures = 0

  constructor (who, open) {
    this.who = who
    this.open = open
  }

  async turn (stand, part, options) {
    if (this.#turn === undefined) {
      this.#branch = await stand.branch(`${part}-${this.who}`)
      this.#turn = await this.open(this.#branch, options)
      // The first one warms caches, code and the disk: it is not counted.
      await this.#turn()
    }
    return await this.#turn()
  }

  async close () {
    this.#turn = undefined
    await this.#branch?.close()
    this.#branch = undefined
  }
}

/**
 * Runs one part: every round each contender once, another one first every time.
 * @param {import('./browsers.mjs').Stand} stand
 * @param {string} part one of `PARTS`
 * @param {{ rounds: number, size: number, who?: string[] }} options `who`: only these contenders
 */
export async function compare (stand, part, { rounds, size, who = Object.keys(CONTENDERS) }) {
  const samples = new Samples()
  const lanes = who.filter(name => CONTENDERS[name][part]).map(name => new Lane(name, CONTENDERS[name][part]))
  try {
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`${part}: round ${round} of ${rounds}\n`)
      for (const at of lanes.keys()) {
        const lane = lanes[(at + round) % lanes.length]
        if (lane.failures < FAILURES) await takeTurn(lane, { stand, part, size, samples })
      }
    }
  } finally {
    await Promise.all(lanes.map(lane => lane.close()))
  }
  return { rows: samples.rows(size), failed: samples.failures() }
}

async function takeTurn (lane, { stand, part, size, samples }) {
  try {
    const took = await within(`${lane.who}'s turn`, lane.turn(stand, part, { size }), LONG)
    for (const [name, ms] of Object.entries(took)) samples.add(name, lane.who, ms)
  } catch (error) {
    lane.failures += 1
    samples.fail(lane.who, error)
    process.stderr.write(`${part}: ${lane.who} failed: ${error.message}\n`)
    await lane.close()
  }
}
