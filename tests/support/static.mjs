// A static server with no knowledge of what it serves: what any web host would do.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { once } from 'node:events'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm'
}

/**
 * @param {Record<string, string | { type: string, body: string | Uint8Array }>} routes a path prefix that ends in `/`
 *   to a folder, or a whole path to a body
 * @param {{ host?: string, port?: number }} [options]
 * @returns {Promise<{ origin: string, stop: () => Promise<void> }>}
 */
export async function serve (routes, { host = '127.0.0.1', port = 0 } = {}) {
  const server = createServer((request, response) => {
    answer(routes, decodeURIComponent(new URL(request.url, 'http://x').pathname), response).catch(() => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    origin: `http://${host}:${server.address().port}`,
    async stop () {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

async function answer (routes, path, response) {
  const whole = routes[path]
  if (whole !== undefined && typeof whole !== 'string') {
    response.writeHead(200, { 'content-type': whole.type }).end(whole.body)
    return
  }
  const file = fileFor(routes, path)
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (found?.isFile() !== true) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
    return
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
    'cache-control': 'no-cache'
  })
  createReadStream(file).pipe(response)
}

function fileFor (routes, path) {
  for (const [prefix, folder] of Object.entries(routes)) {
    if (typeof folder !== 'string' || !prefix.endsWith('/') || !path.startsWith(prefix)) continue
    const inside = normalize(path.slice(prefix.length) || 'index.html')
    if (!inside.startsWith('..')) return join(folder, inside)
  }
  return undefined
}
