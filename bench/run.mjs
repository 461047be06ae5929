// The benchmarks, side by side: what the browser itself can do, what others make of it, and Avocet, in one run and
// interleaved, so that a busy machine is busy for all. README.md beside this says how to read them.
// `node bench/run.mjs [--rounds N] [--size MIB] [--only PART,…] [--who NAME,…]`, or `--show` for the table of what
// results.json holds.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { noKubo } from '../tests/support/kubo.mjs'
import { Stand } from './browsers.mjs'
import { cars } from './cars.mjs'
import { interactive } from './interactive.mjs'
import { compare, PARTS } from './parts.mjs'
import { packageSize } from './size.mjs'
import { table } from './table.mjs'

const MIB = 1024 * 1024
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url))
/** What archives are measured with: large enough that what is held at once is a small part of it. */
const CAR_SIZE = 256 * MIB

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    size: { type: 'string', default: '64' },
    only: { type: 'string' },
    who: { type: 'string' },
    show: { type: 'boolean', default: false }
  }
})
const rounds = Number(options.rounds)
const size = Number(options.size) * MIB
const who = options.who?.split(',')

/** All that there is to run, by name; each gives what results.json keeps of it. */
const RUNS = {
  ...Object.fromEntries(PARTS.map(part => [part, async stand => {
    if (part === 'kubo' && noKubo) return { skipped: noKubo }
    return { rounds, sizeMiB: size / MIB, ...await compare(stand, part, { rounds, size, who }) }
  }])),
  cars: async stand => ({ rounds, sizeMiB: CAR_SIZE / MIB, rows: await cars(stand, { rounds, size: CAR_SIZE }) }),
  page: async stand => await interactive(stand, await stand.relay()),
  package: async () => await packageSize()
}
const names = options.show ? [] : options.only?.split(',') ?? Object.keys(RUNS)
const unknown = names.find(name => RUNS[name] === undefined)
if (unknown !== undefined) throw new Error(`there is no part ${unknown}, only ${Object.keys(RUNS).join(', ')}`)

const parts = {}
for (const name of names) {
  const stand = await Stand.open()
  try {
    const load = loadavg()[0]
    const found = await RUNS[name](stand)
    parts[name] = { ...found, machine: machine(stand, load) }
    console.log(report(name, parts[name]))
  } finally {
    await stand.close()
  }
}
// What was not run stays as an earlier run found it: every part tells its own machine.
const earlier = await readFile(RESULTS, 'utf8').then(JSON.parse, () => ({}))
const results = { ...earlier, ...parts }
if (options.show) {
  console.log(table(PARTS.flatMap(part => results[part]?.rows ?? [])))
} else {
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  console.log(`written to ${RESULTS}`)
}

/** Where the part ran; `load`: how many processes wanted a processor in the minute before it. */
function machine (stand, load) {
  return {
    when: new Date().toISOString(),
    model: cpus()[0]?.model ?? '',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Math.round(load * 100) / 100,
    node: process.version,
    chromium: stand.version()
  }
}

function report (name, { rows, failed = {}, machine, ...rest }) {
  const lines = [`\n${name}`, rows === undefined ? JSON.stringify(rest) : table(rows)]
  for (const [who, reason] of Object.entries(failed)) lines.push(`${who} failed: ${reason}`)
  return lines.join('\n')
}
