// The same work by @ipld/car and blockstore-idb: the parts of which Helia makes its import and export of archives.
// Bundled by bench/cars.mjs. They take bytes for what their CIDs say, in an archive and in the store; `verify` hashes
// them, as Avocet always does.
import { CarBlockIterator, CarWriter } from '@ipld/car'
import { IDBBlockstore } from 'blockstore-idb'

/** Blocks that are on their way into the database at once: the store itself waits for each put. */
const AT_ONCE = 16

/** Imports `blob` into a new database; resolves to the CIDs in its order and what holds them. */
export async function importCar (blob, verify) {
  const store = new IDBBlockstore(`js-car-${performance.now()}`)
  await store.open()
  const cids = []
  const pending = new Set()
  for await (const { cid, bytes } of await CarBlockIterator.fromIterable(parts(blob.stream()))) {
    cids.push(cid)
    const put = keep(store, cid, bytes, verify).finally(() => pending.delete(put))
    pending.add(put)
    if (pending.size >= AT_ONCE) await Promise.race(pending)
  }
  await Promise.all(pending)
  return { store, cids }
}

async function keep (store, cid, bytes, verify) {
  if (verify) await check(cid, bytes)
  // A view is stored with all of the buffer behind it.
  await store.put(cid, bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice())
}

async function check (cid, bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const { digest: expected } = cid.multihash
  if (digest.some((byte, at) => byte !== expected[at])) throw new Error(`${cid} does not hold what it says`)
}

/** Writes what `importCar` gave as an archive again, from its list of CIDs; resolves to its length. */
export async function exportCar ({ store, cids }, verify) {
  const { writer, out } = CarWriter.create([cids[0]])
  const writing = (async () => {
    for (const cid of cids) {
      for await (const bytes of store.get(cid)) {
        if (verify) await check(cid, bytes)
        await writer.put({ cid, bytes })
      }
    }
    await writer.close()
  })()
  let length = 0
  for await (const piece of out) length += piece.length
  await writing
  return length
}

export async function remove ({ store }) {
  await store.close()
  await store.destroy()
}

async function * parts (stream) {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
