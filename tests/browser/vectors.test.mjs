// The published import vectors through the npm package: the CIDs that other implementations give.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.mjs'
import { packageRoutes, startPeer } from '../support/package-page.mjs'
import { upgrade, vectors } from '../support/vectors.mjs'

/** Adds one vector in the page, and looks at what became of it. */
const ADD = async ({ options, directory, entries, children }) => {
  const full = await Promise.all(entries.map(async ({ content, sha256, path, ...entry }) => {
    if (content === undefined) return { path, ...entry }
    const bytes = content.url === undefined
      ? new Uint8Array(content.bytes)
      : new Uint8Array(await (await fetch(content.url)).arrayBuffer())
    return { path, content: bytes, ...entry }
  }))
  const { cid } = await peer.add(directory ? full : full[0], options)
  const found = []
  for (const [path] of children) found.push((await peer.stat(`${cid}/${path}`)).cid)
  // what is only linked to is not here, and a listing would have to ask for it
  const here = entries.every(entry => entry.cid === undefined)
  const listed = directory && here ? (await kit.all(peer.ls(cid))).length : undefined
  const wrong = []
  for (const { path, sha256 } of entries.filter(entry => entry.sha256 !== undefined).slice(0, 5)) {
    const read = await kit.read(path === '' ? cid : `${cid}/${path}`)
    if (read.sha256 !== sha256) wrong.push(path)
  }
  return { cid, found, listed, wrong }
}

journey('the quick vectors of other implementations have their CIDs', async scene => {
  const quick = await vectors('quick')
  const { origin } = await scene.serve({ ...packageRoutes, ...quick.routes })
  const { page } = await startPeer(await scene.chromium('vectors'), origin, { store: 'memory' })
  assert.equal(quick.vectors.length, 55)
  for (const vector of quick.vectors) {
    const { cid, found, listed, wrong } = await page.evaluate(ADD, vector)
    assert.equal(vector.upgraded ? upgrade(cid) : cid, vector.expected, vector.name)
    assert.deepEqual(found, vector.children.map(([, cid]) => cid), `${vector.name}: what it holds`)
    assert.deepEqual(wrong, [], `${vector.name}: read back`)
    if (listed !== undefined) {
      const names = new Set(vector.entries.map(({ path }) => path.split('/')[0]).filter(name => name !== ''))
      assert.equal(listed, names.size, `${vector.name}: listed`)
    }
  }
})
