// Browsers are trees of processes; a killed browser is the whole tree gone at once.
import { execFileSync } from 'node:child_process'
import { until } from './wait.mjs'

/** Every process whose command line holds `mark`, and all below them. The caller itself is never among them. */
function treeOf (mark) {
  const rows = execFileSync('ps', ['-ww', '-eo', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 64 << 20 })
    .split('\n').map(row => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row)).filter(Boolean)
    .map(([, pid, parent, args]) => ({ pid: Number(pid), parent: Number(parent), args }))
  const found = new Set(rows.filter(row => row.args.includes(mark) && row.pid !== process.pid).map(row => row.pid))
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const row of rows) if (found.has(row.parent)) found.add(row.pid)
  }
  found.delete(process.pid)
  return [...found]
}

/**
 * Kills (SIGKILL: no goodbye) all processes that carry `mark`, a profile folder's path, and waits until they are gone.
 */
export async function killTree (mark) {
  const send = () => {
    const pids = treeOf(mark)
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended by itself between the listing and here.
      }
    }
    return pids.length === 0
  }
  await until(`the processes of ${mark} are gone`, send)
}
