// WebTorrent, its own build for browsers, with its own tracker on loopback.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Tracker from 'bittorrent-tracker/server'
import { BROWSERS } from '../names.mjs'

const BUILD = join(dirname(createRequire(import.meta.url).resolve('webtorrent')), 'dist', 'webtorrent.min.js')

/**
 * One tab seeds, one downloads into the store that WebTorrent takes by itself (OPFS). What comes before the transfer
 * is not counted: the time begins when the two are connected and the downloading side has looked through its store.
 */
export async function transfer (stand, { size }) {
  const announce = [await tracker(stand)]
  stand.routes['/webtorrent.js'] = { type: 'text/javascript', body: await readFile(BUILD) }
  const [seeder, leecher] = [await tab(stand, 'webtorrent-a', announce), await tab(stand, 'webtorrent-b', announce)]
  return async () => {
    const torrent = await seeder.evaluate(async length => {
      const torrent = client.seed(new File([raw.freshBytes(length)], 'f'))
      await new Promise((resolve, reject) => torrent.once('seed', resolve).once('error', reject))
      return Array.from(torrent.torrentFile)
    }, size)
    const ms = await leecher.evaluate(download, [torrent, size])
    for (const page of [seeder, leecher]) await page.evaluate(forget)
    return { [BROWSERS]: ms }
  }
}

async function tracker (stand) {
  const server = new Tracker({ udp: false, http: false, ws: true, stats: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stand.closing(() => new Promise(resolve => server.close(resolve)))
  return `ws://127.0.0.1:${server.ws.address().port}`
}

async function tab (stand, name, announce) {
  const page = await stand.tab(name, '/bench/raw.js')
  await page.evaluate(async announce => {
    const { default: WebTorrent } = await import('/webtorrent.js')
    globalThis.client = new WebTorrent({ tracker: { announce, rtcConfig: { iceServers: [] } } })
    client.on('error', error => console.error(error))
  }, announce)
  return page
}

/** In the page: ms from connected and ready to all pieces verified and stored. */
async function download ([file, size]) {
  const torrent = client.add(Uint8Array.from(file))
  const began = Promise.all(['wire', 'ready'].map(event => new Promise(resolve => torrent.once(event, resolve))))
    .then(() => performance.now())
  await new Promise((resolve, reject) => torrent.once('done', resolve).once('error', reject))
  const ended = performance.now()
  if (torrent.downloaded !== size) throw new Error(`${torrent.downloaded} of ${size} bytes were downloaded`)
  return ended - await began
}

/** In the page: no torrent, and nothing kept of it. */
async function forget () {
  for (const torrent of [...client.torrents]) {
    await new Promise((resolve, reject) => torrent.destroy({ destroyStore: true }, error => error ? reject(error) : resolve()))
  }
}
