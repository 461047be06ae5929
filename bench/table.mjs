// Rows as a table: for a screen, and for a README as it is.

/** The order of the columns. */
const WHO = ['avocet', 'raw', 'helia', 'webtorrent', 'kubo', 'js-car', 'js-car, nothing verified']

/** @param {ReturnType<import('./samples.mjs').Samples['rows']>} rows */
export function table (rows) {
  const [ours, ...others] = WHO.filter(who => who === 'avocet' || rows.some(row => row.by[who] !== undefined))
  const lines = [
    ['', ours, ...others, 'to reach'],
    ...rows.map(row => [
      row.name,
      speed(row.by[ours]),
      ...others.map(who => beside(row.by[who], row.times[who])),
      (row.targets ?? []).map(told).join(', ')
    ])
  ]
  const widths = lines[0].map((_head, i) => Math.max(...lines.map(line => line[i].length), 3))
  const text = lines.map(line => `| ${line.map((entry, i) => entry.padEnd(widths[i])).join(' | ')} |`)
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [text[0], rule, ...text.slice(1)].join('\n')
}

function speed (summary) {
  if (summary === undefined) return ''
  return summary.mbPerSecond === undefined ? ms(summary) : `${ms(summary)}, ${Math.round(summary.mbPerSecond)} MB/s`
}

/** How long another took, and how often as fast we were. */
function beside (summary, times) {
  if (summary === undefined) return ''
  return times === undefined ? ms(summary) : `${ms(summary)} (${times.toFixed(2)} ×)`
}

function ms ({ medianMs }) {
  return `${medianMs < 100 ? medianMs : Math.round(medianMs)} ms`
}

function told ({ against, atLeast, atMostMs, reached }) {
  const what = against === undefined ? `${atMostMs} ms` : `${atLeast} × ${against}`
  return `${what} ${reached ? '✓' : '✗'}`
}
