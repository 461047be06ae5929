// The page of the other implementation's users: a whole Helia with UnixFS as it comes, less what reaches for the public
// network. Bundled by helia.mjs; tests and benchmarks drive it through `globalThis.helia`.
import { unixfs } from '@helia/unixfs'
import { CarBlockIterator, CarWriter } from '@ipld/car'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify, identifyPush } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { IDBBlockstore } from 'blockstore-idb'
import { createHelia } from 'helia'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'

const hex = bytes => Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0')).join('')

/** How files are cut, by the version of their CIDs: Helia's own way is 1, 0 is what IPFS began with. */
const IMPORT = {
  0: {
    cidVersion: 0,
    rawLeaves: false,
    chunker: fixedSize({ chunkSize: 256 * 1024 }),
    layout: balanced({ maxChildrenPerNode: 174 })
  },
  1: {}
}

class HeliaNode {
  /** For what the methods below do not offer: Helia itself and its UnixFS. */
  constructor (helia) {
    this.helia = helia
    this.fs = unixfs(helia)
  }

  /**
   * @param {{ relay?: string, store?: string }} options `relay`: where to reserve; `store`: the name of an IndexedDB
   *   database, else blocks are kept in memory
   */
  static async start ({ relay, store = 'memory' }) {
    return new HeliaNode(await createHelia({
      blockstore: await openStore(store),
      http: { delegatedRouters: [], recursiveGateways: [] },
      libp2p: {
        addresses: { listen: relay === undefined ? [] : [`${relay}/p2p-circuit`, '/webrtc'] },
        transports: [webSockets(), webRTC({ rtcConfiguration: { iceServers: [] } }), circuitRelayTransport()],
        // In a page js-libp2p refuses local addresses unless it is told otherwise.
        connectionGater: { denyDialMultiaddr: () => false },
        peerDiscovery: [],
        services: { identify: identify(), identifyPush: identifyPush(), ping: ping() }
      }
    }).start())
  }

  id () {
    return this.helia.libp2p.peerId.toString()
  }

  /** Its addresses for `/webrtc`: none until the relay has given a reservation. */
  addrs () {
    return this.helia.libp2p.getMultiaddrs().map(String).filter(addr => addr.includes('/webrtc'))
  }

  async dial (address) {
    const connection = await this.helia.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(30_000) })
    return connection.remotePeer.toString()
  }

  /** The connections to `id`. */
  connections (id) {
    return this.helia.libp2p.getConnections().filter(connection => connection.remotePeer.toString() === id)
      .map(connection => ({ addr: connection.remoteAddr.toString(), direct: connection.limits === undefined }))
  }

  /** How many streams of ours Helia reads blocks and wants from: it ends those that rest. */
  listening (id) {
    return this.helia.libp2p.getConnections().filter(connection => connection.remotePeer.toString() === id)
      .flatMap(connection => connection.streams)
      .filter(({ protocol, direction }) => protocol === '/ipfs/bitswap/1.2.0' && direction === 'inbound').length
  }

  /** Adds bytes or a stream of them: the CID. @param {{ cidVersion?: 0 | 1 }} [options] */
  async add (content, { cidVersion = 1 } = {}) {
    const cid = content instanceof Uint8Array
      ? await this.fs.addBytes(content, IMPORT[cidVersion])
      : await this.fs.addByteStream(content, IMPORT[cidVersion])
    return cid.toString()
  }

  /** Adds files, `[name, text]` each, in a folder: its CID. */
  async addFolder (entries) {
    const encoder = new TextEncoder()
    const files = entries.map(([path, text]) => ({ path, content: encoder.encode(text) }))
    let root
    for await (const { cid } of this.fs.addAll(files, { wrapWithDirectory: true })) root = cid
    return root.toString()
  }

  /** All bytes of a file, from here or from whoever is connected. */
  async cat (cid, path) {
    const parts = []
    for await (const part of this.fs.cat(CID.parse(cid), { path })) parts.push(part)
    return new Uint8Array(await new Blob(parts).arrayBuffer())
  }

  async read (cid) {
    const bytes = await this.cat(cid)
    return { size: bytes.length, sha256: hex(await crypto.subtle.digest('SHA-256', bytes)) }
  }

  /** What a folder holds, and whether it is spread over many blocks. */
  async list (cid) {
    const { unixfs } = await this.fs.stat(CID.parse(cid))
    const names = []
    for await (const { name } of this.fs.ls(CID.parse(cid))) names.push(name)
    return { sharded: unixfs.type === 'hamt-sharded-directory', names }
  }

  /** The blocks below `root`, in the order in which Helia walks them, as an archive. */
  async archive (root) {
    const { writer, out } = CarWriter.create([CID.parse(root)])
    const writing = (async () => {
      for await (const cid of this.helia.pins.add(CID.parse(root))) {
        for await (const bytes of this.helia.blockstore.get(cid)) await writer.put({ cid, bytes })
      }
      await writer.close()
    })()
    const parts = []
    for await (const part of out) parts.push(part)
    await writing
    return new Blob(parts)
  }

  /** Takes the blocks of an archive in; the number of them. */
  async takeArchive (blob) {
    let count = 0
    for await (const { cid, bytes } of await CarBlockIterator.fromBytes(new Uint8Array(await blob.arrayBuffer()))) {
      await this.helia.blockstore.put(cid, bytes.slice())
      count += 1
    }
    return count
  }
}

async function openStore (name) {
  if (name === 'memory') return new MemoryBlockstore()
  const store = new IDBBlockstore(name)
  await store.open()
  return store
}

globalThis.startHelia = async options => { globalThis.helia = await HeliaNode.start(options) }
