// The page of the other implementation: js-libp2p as its users set it up, and a Bitswap of its own. The test drives it
// through `globalThis.node`.
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Bitswap, sha256 } from './bitswap.mjs'

const PING = '/ipfs/ping/1.0.0'
const PING_LENGTH = 32
/** `getRandomValues` gives no more at a time. */
const RANDOM_STEP = 65536

const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

function randomContent (size) {
  const content = new Uint8Array(size)
  for (let at = 0; at < size; at += RANDOM_STEP) crypto.getRandomValues(content.subarray(at, at + RANDOM_STEP))
  return content
}

class Node {
  constructor (libp2p, bitswap) {
    this.libp2p = libp2p
    this.bitswap = bitswap
  }

  static async start (relay) {
    const libp2p = await createLibp2p({
      addresses: { listen: [`${relay}/p2p-circuit`, '/webrtc'] },
      transports: [webSockets(), webRTC({ rtcConfiguration: { iceServers: [] } }), circuitRelayTransport()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      // In a page js-libp2p refuses local addresses unless it is told otherwise.
      connectionGater: { denyDialMultiaddr: () => false },
      services: { identify: identify(), ping: ping() }
    })
    const bitswap = new Bitswap(libp2p)
    await bitswap.start()
    return new Node(libp2p, bitswap)
  }

  id () {
    return this.libp2p.peerId.toString()
  }

  /** Its addresses for `/webrtc`: none until the relay has given a reservation. */
  addrs () {
    return this.libp2p.getMultiaddrs().map(String).filter(addr => addr.includes('/webrtc'))
  }

  async dial (address) {
    const connection = await this.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(30_000) })
    return { id: connection.remotePeer.toString(), addr: connection.remoteAddr.toString() }
  }

  /** The connections to `id`: direct ones have no limits and do not end in a relay. */
  connections (id) {
    return this.libp2p.getConnections().filter(connection => connection.remotePeer.toString() === id)
      .map(connection => ({ addr: connection.remoteAddr.toString(), direct: connection.limits === undefined }))
  }

  #direct (id) {
    const found = this.libp2p.getConnections()
      .find(connection => connection.remotePeer.toString() === id && connection.limits === undefined)
    if (found === undefined) throw new Error(`no direct connection to ${id}`)
    return found
  }

  /** One echo over the direct connection; ms. */
  async ping (id) {
    const stream = await this.#direct(id).newStream(PING)
    const sent = crypto.getRandomValues(new Uint8Array(PING_LENGTH))
    const began = performance.now()
    stream.send(sent)
    let echo = ''
    for await (const piece of stream) {
      echo += hex(piece.subarray())
      if (echo.length >= PING_LENGTH * 2) break
    }
    await stream.close()
    if (echo !== hex(sent)) throw new Error('the echo is not what was sent')
    return performance.now() - began
  }

  /**
   * Opens a stream of `protocol`, over the relayed connection if asked, writes `pieces` as they are and waits until the
   * other side ends the stream or the connection, or for `patience` ms.
   * @returns {Promise<'open' | 'ended'>}
   */
  async write (id, protocol, pieces, { relayed = false, patience = 5_000 } = {}) {
    const connection = this.libp2p.getConnections().find(one =>
      one.remotePeer.toString() === id && (one.limits !== undefined) === relayed)
    if (connection === undefined) throw new Error(`no ${relayed ? 'relayed' : 'direct'} connection to ${id}`)
    const stream = await connection.newStream(protocol, { runOnLimitedConnection: relayed })
    const ended = new Promise(resolve => {
      for (const event of ['close', 'remoteCloseWrite']) stream.addEventListener(event, () => resolve('ended'), { once: true })
    })
    try {
      for (const { bytes, times = 1 } of pieces) {
        for (let i = 0; i < times; i++) if (!stream.send(Uint8Array.from(bytes))) await stream.onDrain()
      }
    } catch {
      return 'ended'
    }
    return await Promise.race([ended, new Promise(resolve => setTimeout(resolve, patience, 'open'))])
  }

  /** Waits until no connection to `id` is left, direct or not. */
  async untilGone (id) {
    while (this.connections(id).some(connection => connection.direct)) {
      await new Promise(resolve => this.libp2p.addEventListener('connection:close', resolve, { once: true }))
    }
  }

  /** Sends `count` whole Bitswap messages, each with a block that nobody asked for. */
  async sendUnasked (id, count) {
    await this.bitswap.sendUnasked(this.#direct(id), count)
  }

  /** From now on every block that is asked of us has one bit turned. */
  lie () {
    this.bitswap.lying = true
  }

  async share (size) {
    const content = randomContent(size)
    return { cid: await this.bitswap.share(content), sha256: hex(await sha256(content)) }
  }

  async fetch (id, cid) {
    const content = await this.bitswap.fetch(this.#direct(id), cid)
    return { size: content.length, sha256: hex(await sha256(content)) }
  }
}

globalThis.startNode = async relay => { globalThis.node = await Node.start(relay) }
