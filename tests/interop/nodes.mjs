// The two kinds of tab that meet: js-libp2p's and ours.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { dialable, packageRoutes, startPeer } from '../support/package-page.mjs'
import { until } from '../support/wait.mjs'

const bundle = await build({
  entryPoints: [fileURLToPath(new URL('js-page.mjs', import.meta.url))],
  bundle: true,
  format: 'iife',
  platform: 'browser',
  write: false
})

export const routes = {
  ...packageRoutes,
  '/js/page.js': { type: 'text/javascript', body: bundle.outputFiles[0].contents },
  '/js/': { type: 'text/html', body: '<!doctype html><title>js-libp2p</title><script src="/js/page.js"></script>' }
}

/** A tab with js-libp2p, reserved on the relay: `node` in its page. */
export async function jsNode (scene, origin, relay, name) {
  const tab = await (await scene.chromium(name)).tab()
  const js = {
    tab,
    page: tab.page,
    addr: '',
    id: '',
    /** Begins anew, under a new peer id. */
    async restart () {
      await tab.page.goto(`${origin}/js/`)
      await tab.page.evaluate(address => startNode(address), relay.relay)
      js.addr = await until('js-libp2p has a /webrtc address', () => tab.page.evaluate(() => node.addrs()[0]))
      js.id = await tab.page.evaluate(() => node.id())
    }
  }
  await js.restart()
  return js
}

/** A tab with our package, reserved on the relay: `peer` in its page. */
export async function avocet (scene, origin, relay, name) {
  const browser = await scene.chromium(name)
  const peer = await startPeer(browser, origin, { store: name, relays: [relay.relay] })
  return { ...peer, addr: await dialable(peer.page) }
}
