// Samples by name, their medians, the ratios that matter and the targets that they are held to.
const MB = 1_000_000

/** What is measured for the size of the run, beside the raw figure that it is held against. */
const AGAINST = {
  'add (bytes in memory)': 'raw IndexedDB put',
  'add (a File)': 'raw IndexedDB put',
  'read back': 'raw IndexedDB get',
  'browser to browser': 'raw data channel',
  'CAR import': 'CAR import, js-car',
  'CAR export': 'CAR export, js-car'
}
const SIZED = new Set([...Object.keys(AGAINST), ...Object.values(AGAINST), ...['import', 'export'].map(way => `CAR ${way}, js-car (nothing verified)`)])

/** To reach, and the aim after that. */
const TARGETS = [
  { name: 'add (bytes in memory)', kind: 'ratio', reach: 0.5, aim: 0.8 },
  { name: 'browser to browser', kind: 'ratio', reach: 0.7, aim: 0.9 },
  { name: 'first byte of 4 KiB, connected', kind: 'ms', reach: 50, aim: 25 }
]

export function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export class Samples {
  /** @type {Map<string, number[]>} */
  #ms = new Map()

  add (name, ms) {
    const list = this.#ms.get(name) ?? []
    list.push(ms)
    this.#ms.set(name, list)
  }

  rows (size) {
    return [...this.#ms].map(([name, all]) => {
      const middle = median(all)
      const row = { name, medianMs: round(middle), minMs: round(Math.min(...all)), maxMs: round(Math.max(...all)), samples: all.length }
      if (SIZED.has(name)) row.mbPerSecond = round(size / MB / (middle / 1000))
      const ratio = this.#ratio(name)
      if (ratio !== undefined) Object.assign(row, { against: AGAINST[name], ratio })
      return row
    })
  }

  targets () {
    return TARGETS.map(target => {
      const found = target.kind === 'ratio' ? this.#ratio(target.name) : round(median(this.#ms.get(target.name) ?? [NaN]))
      const reached = target.kind === 'ratio' ? found >= target.reach : found < target.reach
      return { ...target, found, reached }
    })
  }

  #ratio (name) {
    const [own, raw] = [this.#ms.get(name), this.#ms.get(AGAINST[name])]
    return own === undefined || raw === undefined ? undefined : round(median(raw) / median(own), 100)
  }
}

function round (value, by = 10) {
  return Math.round(value * by) / by
}

/** The rows as text for a screen. */
export function table (rows) {
  const lines = [['', 'median', 'min', 'max', 'MB/s', 'ratio']]
  for (const row of rows) {
    lines.push([row.name, `${row.medianMs} ms`, `${row.minMs}`, `${row.maxMs}`, row.mbPerSecond === undefined ? '' : `${row.mbPerSecond}`,
      row.ratio === undefined ? '' : `${row.ratio} of ${row.against}`])
  }
  const widths = lines[0].map((_head, i) => Math.max(...lines.map(line => line[i].length)))
  return lines.map(line => line.map((cell, i) => i === 0 || i === 5 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ').trimEnd()).join('\n')
}
