// As much Bitswap 1.2 as it takes to ask for a block and to give one, written from the specification
// (https://specs.ipfs.tech/bitswap-protocol/): the other side of the proof must not share code with the peer it proves.

export const PROTOCOL = '/ipfs/bitswap/1.2.0'

const RAW = 0x55
const DAG_PB = 0x70
const SHA2_256 = 0x12
/** CIDv1, codec, sha2-256, 32 bytes: what stands before the digest. */
const PREFIX_LENGTH = 4
const LENGTH_DELIMITED = 2
const MAX_MESSAGE = 4 * 1024 * 1024

const WANT_HAVE = 1
const DONT_HAVE = 1

// ---- protobuf, the two kinds of field that are needed

export function varint (value) {
  const bytes = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** @returns {{ value: number, next: number } | undefined} undefined when the bytes end within it */
export function readVarint (bytes, at = 0) {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, next: at + i + 1 }
  }
  throw new Error('varint too long')
}

export function concat (...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const number = (field, value) => concat(varint(field << 3), varint(value))
const bytesField = (field, bytes) => concat(varint((field << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes)

function * fields (message) {
  let at = 0
  while (at < message.length) {
    const tag = readVarint(message, at)
    const kind = tag.value & 7
    const field = tag.value >>> 3
    const head = readVarint(message, tag.next)
    if (kind === 0) {
      yield { field, value: head.value, bytes: undefined }
      at = head.next
    } else if (kind === LENGTH_DELIMITED) {
      at = head.next + head.value
      if (at > message.length) throw new Error('field runs past its message')
      yield { field, value: undefined, bytes: message.subarray(head.next, at) }
    } else {
      throw new Error(`wire type ${kind}`)
    }
  }
}

// ---- CIDs: version 1, sha2-256

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

export function cidText (cid) {
  let text = 'b'
  let bits = 0
  let held = 0
  for (const byte of cid) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}

export function cidBytes (text) {
  const out = []
  let bits = 0
  let held = 0
  for (const letter of text.slice(1)) {
    held = (held << 5) | BASE32.indexOf(letter)
    bits += 5
    if (bits >= 8) {
      bits -= 8
      out.push((held >>> bits) & 0xff)
      held &= (1 << bits) - 1
    }
  }
  return Uint8Array.from(out)
}

export async function sha256 (bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

async function cidFor (codec, bytes) {
  return concat(Uint8Array.of(1, codec, SHA2_256, 32), await sha256(bytes))
}

// ---- a UnixFS file of one level: raw leaves of 1 MiB below one DAG-PB root (profile unixfs-v1-2025)

const LEAF = 1024 * 1024

/** @returns {Promise<{ root: Uint8Array, blocks: Map<string, { cid: Uint8Array, bytes: Uint8Array }> }>} */
export async function fileBlocks (content) {
  const blocks = new Map()
  const keep = async (codec, bytes) => {
    const cid = await cidFor(codec, bytes)
    blocks.set(cidText(cid), { cid, bytes })
    return cid
  }
  const links = []
  const sizes = []
  for (let at = 0; at < content.length; at += LEAF) {
    const leaf = content.subarray(at, at + LEAF)
    const cid = await keep(RAW, leaf)
    links.push(bytesField(2, concat(bytesField(1, cid), bytesField(2, new Uint8Array(0)), number(3, leaf.length))))
    sizes.push(number(4, leaf.length))
  }
  const unixfs = concat(number(1, 2), number(3, content.length), ...sizes)
  const root = await keep(DAG_PB, concat(...links, bytesField(1, unixfs)))
  return { root, blocks }
}

function linksOf (node) {
  const cids = []
  for (const { field, bytes } of fields(node)) {
    if (field !== 2) continue
    for (const link of fields(bytes)) if (link.field === 1) cids.push(link.bytes)
  }
  return cids
}

// ---- messages

const framed = message => concat(varint(message.length), message)

function wantMessage (cids, { cancel = false } = {}) {
  const entries = cids.map(cid => {
    const parts = [bytesField(1, cid), number(2, 1)]
    if (cancel) parts.push(number(3, 1))
    else parts.push(number(5, 1))
    return bytesField(1, concat(...parts))
  })
  return framed(bytesField(1, concat(...entries)))
}

const blockMessage = ({ cid, bytes }) => framed(bytesField(3, concat(
  bytesField(1, cid.subarray(0, PREFIX_LENGTH)), bytesField(2, bytes)
)))

const presenceMessage = (cid, type) => framed(bytesField(4, concat(bytesField(1, cid), number(2, type))))

function readMessage (message) {
  const read = { wants: [], payload: [], presences: [] }
  for (const { field, bytes } of fields(message)) {
    if (field === 1) {
      for (const entry of fields(bytes)) if (entry.field === 1) read.wants.push(readEntry(entry.bytes))
    } else if (field === 3) {
      read.payload.push(readPair(bytes))
    } else if (field === 4) {
      const type = [...fields(bytes)].find(part => part.field === 2)?.value ?? 0
      read.presences.push({ cid: [...fields(bytes)].find(part => part.field === 1).bytes, type })
    }
  }
  return read
}

function readEntry (bytes) {
  const want = { cid: undefined, cancel: false, have: false, sendDontHave: false }
  for (const part of fields(bytes)) {
    if (part.field === 1) want.cid = part.bytes
    if (part.field === 3) want.cancel = part.value === 1
    if (part.field === 4) want.have = part.value === WANT_HAVE
    if (part.field === 5) want.sendDontHave = part.value === 1
  }
  return want
}

function readPair (bytes) {
  const pair = { prefix: undefined, data: new Uint8Array(0) }
  for (const part of fields(bytes)) {
    if (part.field === 1) pair.prefix = part.bytes
    if (part.field === 2) pair.data = part.bytes
  }
  return pair
}

/** The varint-framed messages of a stream. */
async function * messages (stream) {
  let held = new Uint8Array(0)
  for await (const piece of stream) {
    held = concat(held, piece.subarray())
    for (;;) {
      const length = readVarint(held)
      if (length === undefined) break
      if (length.value > MAX_MESSAGE) throw new Error(`message of ${length.value} bytes`)
      if (held.length < length.next + length.value) break
      yield held.slice(length.next, length.next + length.value)
      held = held.slice(length.next + length.value)
    }
  }
}

/** How many blocks are asked for at a time. */
const WINDOW = 4

export class Bitswap {
  #libp2p
  #blocks = new Map()
  /** CID text to what waits for it. */
  #waiting = new Map()
  /** The stream that we write on, by the other's peer id. */
  #out = new Map()
  served = 0
  /** Turns a bit of every block that is given away. */
  lying = false

  constructor (libp2p) {
    this.#libp2p = libp2p
  }

  async start () {
    await this.#libp2p.handle(PROTOCOL, async (stream, connection) => {
      for await (const message of messages(stream)) await this.#received(readMessage(message), connection)
    })
  }

  /** Makes a file of random bytes servable. */
  async share (content) {
    const { root, blocks } = await fileBlocks(content)
    for (const [text, block] of blocks) this.#blocks.set(text, block)
    return cidText(root)
  }

  /** Fetches a file of one level from the one who is at the other end of `connection`. */
  async fetch (connection, root) {
    const node = await this.#get(connection, cidBytes(root))
    const leaves = linksOf(node)
    const content = new Array(leaves.length)
    let next = 0
    const worker = async () => {
      while (next < leaves.length) {
        const mine = next++
        content[mine] = await this.#get(connection, leaves[mine])
      }
    }
    await Promise.all(Array.from({ length: WINDOW }, worker))
    return concat(...content)
  }

  /** All blocks that can be asked of us. */
  shared () {
    return [...this.#blocks.values()]
  }

  /** Blocks of chance that nobody asked for, a message each. */
  async sendUnasked (connection, count) {
    for (let i = 0; i < count; i++) {
      const bytes = crypto.getRandomValues(new Uint8Array(100))
      await this.#send(connection, blockMessage({ cid: Uint8Array.of(1, RAW, SHA2_256, 32), bytes }))
    }
  }

  async #get (connection, cid) {
    const text = cidText(cid)
    const { promise, resolve, reject } = Promise.withResolvers()
    this.#waiting.set(text, { resolve, reject })
    await this.#send(connection, wantMessage([cid]))
    const bytes = await promise
    await this.#send(connection, wantMessage([cid], { cancel: true }))
    return bytes
  }

  async #received ({ wants, payload, presences }, connection) {
    for (const { prefix, data } of payload) {
      const text = cidText(concat(prefix, await sha256(data)))
      const waiting = this.#waiting.get(text)
      if (waiting === undefined) throw new Error(`a block that nobody asked for: ${text}`)
      this.#waiting.delete(text)
      waiting.resolve(data)
    }
    for (const { cid, type } of presences) {
      if (type !== DONT_HAVE) continue
      this.#waiting.get(cidText(cid))?.reject(new Error(`the other side has no ${cidText(cid)}`))
    }
    for (const want of wants) if (!want.cancel) await this.#answer(want, connection)
  }

  async #answer ({ cid, have, sendDontHave }, connection) {
    const block = this.#blocks.get(cidText(cid))
    if (block === undefined) {
      if (sendDontHave) await this.#send(connection, presenceMessage(cid, DONT_HAVE))
    } else if (have) {
      await this.#send(connection, presenceMessage(cid, 0))
    } else {
      this.served += block.bytes.length
      const bytes = block.bytes.slice()
      if (this.lying) bytes[0] ^= 1
      await this.#send(connection, blockMessage({ cid, bytes }))
    }
  }

  async #send (connection, message) {
    const peer = connection.remotePeer.toString()
    const before = this.#out.get(peer) ?? Promise.resolve(undefined)
    const sent = before.then(async stream => {
      const open = stream?.status === 'open' ? stream : await connection.newStream(PROTOCOL)
      if (!open.send(message)) await open.onDrain()
      return open
    })
    this.#out.set(peer, sent.catch(() => undefined))
    await sent
  }
}
