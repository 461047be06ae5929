import { journey } from '../support/journey.mjs'
import { dialable, packageRoutes, startPeer } from '../support/package-page.mjs'
journey('flap', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const a = await startPeer(await scene.chromium('a'), origin, { store: 'memory', relays: [relay.relay], bootstrap: [relay.relay] })
  const b = await startPeer(await scene.chromium('b'), origin, { store: 'b', relays: [relay.relay], bootstrap: [relay.relay] })
  for (const p of [a, b]) await p.page.evaluate(() => { globalThis.heard = []; const t0 = performance.now(); for (const n of ['online', 'offline', 'peer:connect', 'peer:disconnect', 'addrs']) peer.addEventListener(n, ({ type, detail }) => heard.push(Math.round(performance.now() - t0) + ' ' + type + ' ' + JSON.stringify(detail)?.slice(0, 230))) })
  const addr = await dialable(a.page)
  await dialable(b.page)
  await b.page.evaluate(to => peer.connect(to), addr)
  const cid = await a.page.evaluate(async () => (await peer.add(new File([kit.random(3 << 20)], 'f'))).cid)
  await b.page.evaluate(([cid, from]) => peer.pins.add(cid, { providers: [from] }), [cid, addr])
  for (let i = 0; i < 5; i++) { console.log('holders', await a.page.evaluate(cid => peer.holders(cid), cid)); await new Promise(r => setTimeout(r, 2000)) }
  for (const p of [a, b]) { console.log('--- ' + p.id); for (const l of await p.page.evaluate(() => heard)) console.log(l) ; console.log(JSON.stringify(await p.page.evaluate(() => peer.peers()))) }
  console.log(relay.log.filter(l => !/TRACE/.test(l)).join('\n').slice(0, 9000))
})
