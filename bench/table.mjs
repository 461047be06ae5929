// Rows as a table: for a screen, and for a README as it is.

/** The order of the columns. */
const WHO = ['avocet', 'raw', 'helia', 'webtorrent', 'kubo', 'js-car', 'js-car, nothing verified']

/** @param {ReturnType<import('./samples.mjs').Samples['rows']>} rows */
export function table (rows) {
  const [ours, ...others] = WHO.filter(who => who === 'avocet' || rows.some(row => row.by[who] !== undefined))
  const lines = [
    ['', ours, ...others, ...others.map(who => `× ${who}`), 'to reach'],
    ...rows.map(row => [
      row.name,
      cell(row.by[ours]),
      ...others.map(who => cell(row.by[who])),
      ...others.map(who => row.times[who]?.toFixed(2) ?? ''),
      (row.targets ?? []).map(told).join(', ')
    ])
  ]
  const widths = lines[0].map((_head, i) => Math.max(...lines.map(line => line[i].length), 3))
  const text = lines.map(line => `| ${line.map((entry, i) => entry.padEnd(widths[i])).join(' | ')} |`)
  const rule = `|${widths.map((width, i) => i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [text[0], rule, ...text.slice(1)].join('\n')
}

function cell (summary) {
  if (summary === undefined) return ''
  const { medianMs, mbPerSecond } = summary
  const ms = medianMs < 100 ? medianMs : Math.round(medianMs)
  return mbPerSecond === undefined ? `${ms} ms` : `${ms} ms, ${mbPerSecond < 10 ? mbPerSecond : Math.round(mbPerSecond)} MB/s`
}

function told ({ against, atLeast, atMostMs, reached }) {
  const what = against === undefined ? `${atMostMs} ms` : `${atLeast} × ${against}`
  return `${what} ${reached ? '✓' : '✗'}`
}
