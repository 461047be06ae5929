// When the page can be used, and when the wasm is in: cold caches, over a line of 10 Mbit/s with 40 ms.
import { median } from './samples.mjs'

const LINE = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 5e6 / 8 }
const LOADS = 5

/** Runs before the page: notes when the field and the button to share with are there and can be used. */
const NOTE = `(() => {
  const times = { usable: undefined }
  Object.defineProperty(globalThis, '__times', { value: times })
  const find = (root, wanted) => {
    for (const element of root.querySelectorAll('*')) {
      if (wanted(element)) return element
      const inside = element.shadowRoot && find(element.shadowRoot, wanted)
      if (inside) return inside
    }
  }
  const look = () => {
    const file = find(document, element => element.matches('input[type=file]:not([webkitdirectory])') && !element.disabled)
    if (file) times.usable = performance.now()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()`

export async function interactive (stand, relay) {
  const usable = []
  const wasm = []
  for (let i = 0; i < LOADS; i++) {
    const browser = await stand.browser(`load-${i}`, { init: [NOTE] })
    const { page } = await browser.tab()
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', LINE)
    await page.goto(relay.page)
    const times = await page.waitForFunction(() => {
      const loaded = performance.getEntriesByType('resource').find(entry => entry.name.endsWith('.wasm'))
      return globalThis.__times.usable !== undefined && loaded?.responseEnd > 0
        ? { usable: globalThis.__times.usable, wasm: loaded.responseEnd }
        : undefined
    }, undefined, { timeout: 60_000 }).then(handle => handle.jsonValue())
    usable.push(times.usable)
    wasm.push(times.wasm)
    await browser.close()
  }
  return { line: '10 Mbit/s, 40 ms', usableMs: Math.round(median(usable)), wasmInMs: Math.round(median(wasm)), before: median(usable) < median(wasm) }
}
