// A page of somebody else that uses the npm package: plain ES modules from a static server that knows nothing of it.
import { PACKAGE } from './paths.mjs'
import { until } from './wait.mjs'

const HTML = `<!doctype html>
<html lang="en">
<title>A page that uses avocet</title>
<input type="file" aria-label="file" multiple>
<input type="file" aria-label="folder" webkitdirectory>
<script type="module" src="/kit.js"></script>
</html>`

const KIT = `
import { createPeer } from '/pkg/index.js'

const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

globalThis.kit = {
  createPeer,
  async start (options) { globalThis.peer = await createPeer(options); return peer.id },
  random (size) {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
    return bytes
  },
  async sha256 (bytes) { return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) },
  /** All of a stream. By hand: Response would hide the stream's own error behind one of its own. */
  async bytes (stream) {
    const reader = stream.getReader()
    const parts = []
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return new Uint8Array(await new Blob(parts).arrayBuffer())
      parts.push(value)
    }
  },
  async read (path, options) {
    const bytes = await kit.bytes(peer.cat(path, options))
    return { size: bytes.length, sha256: await kit.sha256(bytes) }
  },
  async all (iterable) {
    const items = []
    for await (const item of iterable) items.push(item)
    return items
  },
  /** What a promise rejected with; throws when it did not. */
  async refused (promise) {
    let value
    try { value = await promise } catch (error) {
      return { name: error.name, code: error.code, message: error.message, isError: error instanceof Error }
    }
    throw new Error('was not refused, gave ' + JSON.stringify(value))
  }
}
`

export const packageRoutes = {
  '/pkg/': PACKAGE,
  '/kit.js': { type: 'text/javascript', body: KIT },
  '/': { type: 'text/html; charset=utf-8', body: HTML }
}

/** Opens `origin`'s page in a new tab of `browser` and waits until the package is loaded. */
export async function openPackage (browser, origin) {
  const tab = await browser.tab()
  await tab.page.goto(`${origin}/`)
  await until('the package is imported', () => tab.page.evaluate(() => 'kit' in globalThis))
  return tab
}

/** A tab with a running peer in `globalThis.peer`, and its id. */
export async function startPeer (browser, origin, options) {
  const tab = await openPackage(browser, origin)
  const id = await tab.page.evaluate(given => kit.start(given), options)
  return { tab, page: tab.page, id }
}

/** The first `/webrtc` address of the peer in `page`, once a relay has been reserved. */
export async function dialable (page) {
  return await until('the peer has a /webrtc address', () => page.evaluate(
    () => peer.addrs().find(addr => addr.includes('/p2p-circuit/webrtc'))
  ))
}
