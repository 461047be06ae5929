// A tab with the other implementation of IPFS for browsers: Helia, bundled as its users do.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { until } from './wait.mjs'

const bundle = await build({
  entryPoints: [fileURLToPath(new URL('helia-page.mjs', import.meta.url))],
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  write: false
})

export const heliaRoutes = {
  '/helia/page.js': { type: 'text/javascript', body: bundle.outputFiles[0].contents },
  '/helia/': { type: 'text/html', body: '<!doctype html><title>Helia</title><script src="/helia/page.js"></script>' }
}

/**
 * A tab of `browser` with a running Helia in `globalThis.helia`, its id, and its `/webrtc` address where a relay is given.
 * @param {import('./chromium.mjs').Chromium} browser
 * @param {{ relay?: string, store?: string }} options as helia-page.mjs has them
 */
export async function startHelia (browser, origin, options = {}) {
  const tab = await browser.tab()
  const { page } = tab
  await page.goto(`${origin}/helia/`)
  await page.evaluate(given => startHelia(given), options)
  const id = await page.evaluate(() => helia.id())
  const addr = options.relay === undefined ? undefined
    : await until('Helia has a /webrtc address', () => page.evaluate(() => helia.addrs()[0]))
  return { tab, page, id, addr }
}
