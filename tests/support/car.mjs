// A reader of archives that owes nothing to ours: sections of a CARv1, each hashed. And the wrapping that makes a CARv2.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

/**
 * @param {Uint8Array} archive
 * @returns {{ header: Buffer, blocks: { cid: string, bytes: Buffer }[] }} CIDs in hexadecimal
 */
export function readCar (archive) {
  const bytes = Buffer.from(archive)
  let at = 0
  const number = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  const take = length => {
    assert.ok(at + length <= bytes.length, 'the archive ends too early')
    at += length
    return bytes.subarray(at - length, at)
  }
  const header = take(number())
  const blocks = []
  while (at < bytes.length) {
    const section = take(number())
    // Version 0 begins with its multihash, version 1 with version and codec, all of one byte each here.
    const hash = section[0] === 0x12 ? 0 : 2
    assert.deepEqual([section[hash], section[hash + 1]], [0x12, 32], 'SHA2-256')
    const end = hash + 34
    const block = section.subarray(end)
    assert.equal(createHash('sha256').update(block).digest('hex'), section.subarray(hash + 2, end).toString('hex'))
    blocks.push({ cid: section.subarray(0, end).toString('hex'), bytes: block })
  }
  return { header, blocks }
}

/** The same archive inside one of version 2, with an index that nobody should look at. */
export function wrapCar (archive) {
  const head = Buffer.alloc(51)
  Buffer.from('0aa16776657273696f6e02', 'hex').copy(head)
  head.writeBigUInt64LE(64n, 27)
  head.writeBigUInt64LE(BigInt(archive.length), 35)
  head.writeBigUInt64LE(BigInt(64 + archive.length), 43)
  return Buffer.concat([head, Buffer.alloc(13), archive, Buffer.from('no index')])
}
