// CRC-32 as zip has it (Node has one of its own only from 20.15 on).
const TABLE = new Uint32Array(256).map((_zero, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = (byte & 1) === 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1
  return byte
})

export function crc32 (bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}
