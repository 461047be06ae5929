// What the browser itself can do: the figures that all others are held against.
import { joinRaw, rawTransfer } from '../browsers.mjs'
import { ADD, ADD_FILE, BROWSERS, READ } from '../names.mjs'

const MIB = 1024 * 1024

/** IndexedDB in plain JavaScript: puts and gets of 1 MiB in batches. */
export async function store (stand, { size }) {
  const page = await stand.tab('raw', '/bench/raw.js')
  return async () => {
    const { put, get } = await page.evaluate(count => raw.rawIndexedDb(count), size / MIB)
    return { [ADD]: put, [ADD_FILE]: put, [READ]: get }
  }
}

/** One data channel between two tabs. */
export async function transfer (stand, { size }) {
  const [a, b] = [await stand.tab('raw-a', '/bench/raw.js'), await stand.tab('raw-b', '/bench/raw.js')]
  await joinRaw(a, b)
  return async () => ({ [BROWSERS]: await rawTransfer(b, size) })
}
