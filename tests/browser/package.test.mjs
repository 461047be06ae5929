// The npm package as somebody else's page uses it: plain ES modules from a static server.
import assert from 'node:assert/strict'
import { MIB, randomFile, writeTree } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { openPackage, packageRoutes, startPeer } from '../support/package-page.mjs'
import { until } from '../support/wait.mjs'

/** `hello world` and a newline, and the CIDs that every implementation gives for it. */
const HELLO = 'hello world\n'
const HELLO_V1 = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'
const HELLO_V0 = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
const EMPTY_DIRECTORY_V1 = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354'

async function alone (scene, store = 'memory') {
  const { origin } = await scene.serve(packageRoutes)
  return await startPeer(await scene.chromium('alone'), origin, { store })
}

journey('add and cat, of every kind of source, without any network', async scene => {
  const { page } = await alone(scene)

  await scene.step('the CIDs are those of the profiles', async () => {
    const cids = await page.evaluate(async text => {
      const bytes = new TextEncoder().encode(text)
      const v1 = await peer.add(bytes)
      return [v1, await peer.add(bytes, { profile: 'unixfs-v0-2015' }), await peer.add([])]
    }, HELLO)
    assert.equal(cids[0].cid, HELLO_V1)
    assert.equal(cids[0].size, 12)
    assert.equal(cids[0].blocks, 1)
    assert.equal(cids[1].cid, HELLO_V0)
    assert.equal(cids[2].cid, EMPTY_DIRECTORY_V1)
  })

  await scene.step('Blob, File, Uint8Array, ArrayBuffer and stream of the same bytes give the same CID', async () => {
    const cids = await page.evaluate(async size => {
      const bytes = kit.random(size)
      const pieces = () => {
        let at = 0
        return new ReadableStream({
          pull (controller) {
            if (at >= size) return controller.close()
            controller.enqueue(bytes.slice(at, at + 70_001))
            at += 70_001
          }
        })
      }
      const sources = [bytes, bytes.slice().buffer, new Blob([bytes]), new File([bytes], 'x.bin'), pieces()]
      return await Promise.all(sources.map(async source => (await peer.add(source)).cid))
    }, 5 * MIB + 3)
    assert.equal(new Set(cids).size, 1, cids.join(' '))
  })

  await scene.step('entries and iterables of entries give folders made from the paths', async () => {
    const found = await page.evaluate(async () => {
      async function * entries () {
        yield { path: 'a/b/c.txt', content: new TextEncoder().encode('c') }
        yield { path: 'a/d.txt', content: new Blob(['dd']) }
        yield { path: 'empty/' }
        yield new File(['f'], 'f.txt')
      }
      const { cid } = await peer.add(entries())
      const { cid: wrapped } = await peer.add(new Blob(['dd']), { wrap: 'd.txt' })
      const names = async path => (await kit.all(peer.ls(path))).map(entry => `${entry.name} ${entry.type} ${entry.size}`).sort()
      return {
        root: await names(cid),
        a: await names(`${cid}/a`),
        text: new TextDecoder().decode(await kit.bytes(peer.cat(`/ipfs/${cid}/a/b/c.txt`))),
        scheme: new TextDecoder().decode(await kit.bytes(peer.cat(`ipfs://${cid}/a/d.txt`))),
        wrapped: await names(wrapped),
        empty: await kit.all(peer.ls(`${cid}/empty`))
      }
    })
    // A leaf of one block is raw: a listing may tell it as the block that it is, or as the file that it means.
    assert.equal(found.root.length, 3)
    assert.match(found.root.join(', '), /^a directory \d+, empty directory \d+, f\.txt (file|raw) 1$/)
    assert.equal(found.text, 'c')
    assert.equal(found.scheme, 'dd')
    assert.match(found.wrapped[0], /^d\.txt (file|raw) 2$/)
    assert.deepEqual(found.empty, [])
  })

  await scene.step('ranges', async () => {
    const ranges = await page.evaluate(async size => {
      const bytes = kit.random(size)
      const { cid } = await peer.add(bytes)
      const out = []
      for (const [offset, length] of [[0, 10], [1048575, 2], [3 * 1048576, 1048576], [size - 5, 100], [size, 10], [7, undefined], [5, 0]]) {
        const got = await kit.bytes(peer.cat(cid, { offset, length }))
        const end = length === undefined ? size : Math.min(size, offset + length)
        out.push(await kit.sha256(got) === await kit.sha256(bytes.slice(offset, end)))
      }
      return out
    }, 5 * MIB + 3)
    assert.ok(ranges.every(Boolean), ranges.join(' '))
  })

  await scene.step('stat, progress and a cancelled reader', async () => {
    const told = await page.evaluate(async size => {
      const progress = []
      const bytes = kit.random(size)
      const { cid } = await peer.add(new File([bytes], 'p.bin'), { onProgress: now => progress.push(now) })
      const stat = await peer.stat(cid)
      const reader = peer.cat(cid).getReader()
      const first = await reader.read()
      await reader.cancel()
      const again = await kit.read(cid)
      return { progress, stat, cid, first: first.value.length, again: again.size }
    }, 6 * MIB)
    const last = told.progress.at(-1)
    assert.equal(last.loaded, 6 * MIB)
    assert.equal(last.total, 6 * MIB)
    for (let i = 1; i < told.progress.length; i++) assert.ok(told.progress[i].loaded >= told.progress[i - 1].loaded)
    assert.equal(told.stat.cid, told.cid)
    assert.equal(told.stat.type, 'file')
    assert.equal(told.stat.size, 6 * MIB)
    assert.ok(told.stat.localSize >= 6 * MIB)
    assert.equal(told.stat.blocks, 7)
    assert.ok(told.first > 0)
    assert.equal(told.again, 6 * MIB)
  })
})

journey('what a database keeps is what memory keeps, whatever the caller does with the bytes meanwhile', async scene => {
  const { page } = await alone(scene, 'taken')
  const told = await page.evaluate(async size => {
    const memory = await kit.createPeer({ store: 'memory' })
    const whole = kit.random(size)
    whole.copyWithin(2 ** 20, 0, 2 ** 20)
    // blocks of their own for each, so that each one's files are what is kept
    const marked = mark => {
      const bytes = whole.slice()
      for (let at = 0; at < size; at += 2 ** 20) bytes[at] = mark
      return bytes
    }
    const part = bytes => bytes.subarray(0, 700_000)
    const into = buffer => bytes => { const copy = new Uint8Array(buffer); copy.set(bytes); return copy }
    const SharedBuffer = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer.constructor
    const kinds = [
      bytes => bytes, bytes => new File([bytes], 'f'), bytes => new Blob([bytes]).stream(), part,
      into(new SharedBuffer(size)), into(new ArrayBuffer(size, { maxByteLength: size + 1 }))
    ]
    const kept = []
    for (const [mark, kind] of kinds.entries()) {
      const bytes = marked(mark)
      const expected = kind === part ? part(bytes) : bytes
      const { cid } = await peer.add(kind(bytes))
      const { cid: inMemory } = await memory.add(expected)
      kept.push({ cid, inMemory, same: (await kit.read(cid)).sha256 === await kit.sha256(expected) })
    }
    // changed while it is added: what comes of it is neither this nor that, but whole
    const mine = whole.slice()
    const { cid: changed } = await peer.add(mine, { onProgress: () => { mine.fill(mine[0] + 1) } })
    await memory.stop()
    return { kept, changed: (await kit.read(changed)).size }
  }, 12 * MIB + 3)
  assert.equal(told.kept.length, 6)
  for (const [kind, { cid, inMemory, same }] of told.kept.entries()) {
    assert.equal(cid, inMemory, `kind ${kind}`)
    assert.ok(same, `kind ${kind} is read as it was added`)
  }
  assert.equal(told.changed, 12 * MIB + 3)
})

journey('much that is added one after the other does not fill the room that the browser has for blobs', async scene => {
  const { page } = await alone(scene, 'much')
  const cids = await page.evaluate(async size => {
    const bytes = kit.random(size)
    const cids = []
    for (let turn = 0; turn < 12; turn++) {
      for (let at = 0; at < size; at += 2 ** 20) bytes[at] = turn
      cids.push((await peer.add(bytes)).cid)
    }
    return cids
  }, 64 * MIB)
  assert.equal(new Set(cids).size, 12)
  assert.equal(await page.evaluate(async cid => (await kit.read(cid)).size, cids[0]), 64 * MIB)
})

journey('files from disk: a file input and a folder input', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const { page } = await startPeer(await scene.chromium('disk'), origin, { store: 'disk' })
  const file = await randomFile(scene.path('files'), 'from disk.bin', 20 * MIB + 5)
  await page.getByLabel('file', { exact: true }).setInputFiles(file.path)
  const got = await page.evaluate(async () => {
    const { cid, size } = await peer.add(document.querySelector('input').files[0])
    return { size, ...(await kit.read(cid)) }
  })
  assert.deepEqual(got, { size: file.size, sha256: file.sha256 })

  const folder = scene.path('files', 'tree')
  await writeTree(folder, [['x.txt', 'x'], ['in/y.txt', 'y'], ['.z', 'z']])
  await page.getByLabel('folder', { exact: true }).setInputFiles(folder)
  const names = await page.evaluate(async () => {
    const list = document.querySelector('[webkitdirectory]').files
    const { cid } = await peer.add(list)
    const { cid: all } = await peer.add(list, { hidden: true })
    const of = async path => (await kit.all(peer.ls(path))).map(entry => entry.name).sort()
    return { root: await of(cid), tree: await of(`${cid}/tree`), all: await of(`${all}/tree`) }
  })
  assert.deepEqual(names, { root: ['tree'], tree: ['in', 'x.txt'], all: ['.z', 'in', 'x.txt'] })
})

journey('pins, gc, usage and single blocks', async scene => {
  const { page } = await alone(scene, 'pins')

  await scene.step('what is added is pinned; removed and collected it is gone', async () => {
    const told = await page.evaluate(async size => {
      const { cid } = await peer.add(new File([kit.random(size)], 'named.bin'))
      const { cid: kept } = await peer.add(kit.random(1000))
      const { cid: loose } = await peer.add(kit.random(1000), { pin: false })
      const before = await peer.usage()
      const pins = await kit.all(peer.pins.ls())
      await peer.pins.rm(cid)
      const freed = await peer.gc()
      return {
        cid, kept, before, pins, freed,
        after: await peer.usage(),
        has: [await peer.block.has(cid), await peer.block.has(kept), await peer.block.has(loose)],
        again: await peer.gc()
      }
    }, 3 * MIB)
    assert.deepEqual(told.pins.map(pin => pin.cid).sort(), [told.cid, told.kept].sort())
    assert.ok(told.pins.every(pin => pin.recursive))
    assert.equal(told.pins.find(pin => pin.cid === told.cid).name, 'named.bin')
    assert.equal(told.freed.blocks, 5, 'a root, three leaves and the loose one')
    assert.ok(told.freed.bytes >= 3 * MIB)
    assert.deepEqual(told.has, [false, true, false])
    assert.deepEqual(told.again, { blocks: 0, bytes: 0 })
    assert.ok(told.before.used >= 3 * MIB && told.after.used < 3 * MIB)
    assert.equal(told.after.blocks, 1)
    assert.equal(typeof told.after.quota, 'number')
    assert.equal(typeof told.after.persisted, 'boolean')
  })

  await scene.step('two pins over the same blocks: one removed, all stay', async () => {
    const sizes = await page.evaluate(async () => {
      const content = kit.random(2_000_000)
      const { cid: file } = await peer.add(content)
      const { cid: folder } = await peer.add([{ path: 'same', content }])
      await peer.pins.rm(file)
      await peer.gc()
      return (await kit.read(`${folder}/same`)).size
    })
    assert.equal(sizes, 2_000_000)
  })

  await scene.step('block.put, get, has and rm', async () => {
    const told = await page.evaluate(async () => {
      const bytes = new TextEncoder().encode('hello world\n')
      const { cid } = await peer.block.put(bytes, { codec: 'raw', hash: 'sha2-256' })
      const got = new TextDecoder().decode(await peer.block.get(cid))
      const rm = await peer.block.rm(cid)
      const { cid: pinned } = await peer.add(new Uint8Array([1, 2, 3]))
      return { cid, got, rm, has: await peer.block.has(cid), twice: await peer.block.rm(cid), refused: await kit.refused(peer.block.rm(pinned)) }
    })
    assert.equal(told.cid, HELLO_V1)
    assert.equal(told.got, HELLO)
    assert.deepEqual([told.rm, told.has, told.twice], [true, false, false])
    assert.equal(told.refused.code, 'INVALID_OPTION')
  })

  await scene.step('two peers over one store agree', async () => {
    const told = await page.evaluate(async () => {
      const other = await kit.createPeer({ store: 'pins' })
      const { cid } = await peer.add(kit.random(70_000))
      const got = await kit.bytes(other.cat(cid))
      const ids = [peer.id, other.id]
      await other.stop()
      return { size: got.length, ids }
    })
    assert.equal(told.size, 70_000)
    assert.notEqual(told.ids[0], told.ids[1])
  })
})

journey('the same store is the same peer after a reload, and keeps its files', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const browser = await scene.chromium('again')
  const { page, id } = await startPeer(browser, origin, { store: 'lasting' })
  const { cid, sha256: hash } = await page.evaluate(async size => {
    const bytes = kit.random(size)
    return { cid: (await peer.add(bytes)).cid, sha256: await kit.sha256(bytes) }
  }, 4 * MIB)
  for (let i = 0; i < 3; i++) {
    await page.reload()
    await until('the package is imported', () => page.evaluate(() => 'kit' in globalThis))
    assert.equal(await page.evaluate(() => kit.start({ store: 'lasting' })), id)
  }
  assert.deepEqual(await page.evaluate(path => kit.read(path), cid), { size: 4 * MIB, sha256: hash })

  await scene.step('and in a browser that was killed', async () => {
    await browser.kill()
    const again = await scene.chromium('after the kill', { after: browser })
    const { page: reborn, id: same } = await startPeer(again, origin, { store: 'lasting' })
    assert.equal(same, id)
    assert.deepEqual(await reborn.evaluate(path => kit.read(path), cid), { size: 4 * MIB, sha256: hash })
  })
})

journey('errors name what failed and carry their code', async scene => {
  const { page } = await alone(scene)
  const refusals = await page.evaluate(async () => {
    const { cid } = await peer.add([{ path: 'file.txt', content: new Blob(['x']) }])
    const cat = (path, options) => kit.bytes(peer.cat(path, options))
    return {
      INVALID_CID: [await kit.refused(cat('hello')), await kit.refused(peer.stat('bafy')), await kit.refused(peer.pins.rm('Qm'))],
      INVALID_PATH: [await kit.refused(cat(`/ipfs/${cid}/../x`)), await kit.refused(cat(`/other/${cid}`))],
      NOT_FOUND: [await kit.refused(cat(`${cid}/missing.txt`))],
      NOT_A_FILE: [await kit.refused(cat(cid))],
      NOT_A_DIRECTORY: [await kit.refused(cat(`${cid}/file.txt/more`)), await kit.refused(kit.all(peer.ls(`${cid}/file.txt`)))],
      INVALID_ADDR: [await kit.refused(peer.connect('not an address')), await kit.refused(peer.connect('/ip4/1.2.3.4'))],
      INVALID_OPTION: [
        await kit.refused(peer.add(new Uint8Array(1), { chunker: 'size-0' })), await kit.refused(peer.add(42)),
        await kit.refused(peer.add(new Uint8Array(1), { nonsense: 1 }))
      ]
    }
  })
  for (const [code, errors] of Object.entries(refusals)) {
    for (const error of errors) {
      assert.equal(error.code, code, JSON.stringify(error))
      assert.equal(error.name, 'AvocetError')
      assert.ok(error.isError && error.message.length > 10, error.message)
    }
  }
})

journey('AbortSignal ends what it was given to, and stop ends all', async scene => {
  const { page } = await alone(scene, 'ends')

  await scene.step('add, cat and a start', async () => {
    const told = await page.evaluate(async size => {
      const controller = new AbortController()
      const endless = new ReadableStream({ pull (out) { out.enqueue(new Uint8Array(65536)) } })
      const adding = kit.refused(peer.add(endless, {
        signal: controller.signal, onProgress: ({ loaded }) => { if (loaded > 4e6) controller.abort() }
      }))
      const add = await adding
      const already = await kit.refused(peer.add(new Uint8Array(1), { signal: AbortSignal.abort() }))
      const { cid } = await peer.add(kit.random(size))
      const reading = new AbortController()
      const reader = peer.cat(cid, { signal: reading.signal }).getReader()
      await reader.read()
      reading.abort()
      const cat = await kit.refused((async () => { for (;;) if ((await reader.read()).done) return 'done' })())
      const start = await kit.refused(kit.createPeer({ store: 'memory', signal: AbortSignal.abort() }))
      return { add, already, cat, start, pins: (await kit.all(peer.pins.ls())).length, works: (await kit.read(cid)).size }
    }, 20 * MIB)
    for (const name of ['add', 'already', 'cat', 'start']) assert.equal(told[name].name, 'AbortError', name)
    assert.equal(told.pins, 1)
    assert.equal(told.works, 20 * MIB)
  })

  await scene.step('stop, twice, and every later call', async () => {
    const codes = await page.evaluate(async () => {
      const stopped = peer
      const hanging = kit.refused(kit.bytes(stopped.cat('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2deveq4')))
      await Promise.all([stopped.stop(), stopped.stop()])
      const calls = {
        hanging,
        add: kit.refused(stopped.add(new Uint8Array(1))),
        cat: kit.refused(kit.bytes(stopped.cat('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'))),
        ls: kit.refused(kit.all(stopped.ls('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'))),
        stat: kit.refused(stopped.stat('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4')),
        pins: kit.refused(kit.all(stopped.pins.ls())),
        gc: kit.refused(stopped.gc()),
        connect: kit.refused(stopped.connect('/ip4/127.0.0.1/tcp/1/ws'))
      }
      const out = {}
      for (const [name, call] of Object.entries(calls)) out[name] = (await call).code
      return out
    })
    for (const [name, code] of Object.entries(codes)) assert.equal(code, 'STOPPED', name)
  })
})

journey('the package works from any folder of any server, wasm file and all', async scene => {
  const { origin } = await scene.serve({ ...packageRoutes, '/some/deep/folder/': packageRoutes['/pkg/'] })
  const tab = await openPackage(await scene.chromium('folder'), origin)
  const text = await tab.page.evaluate(async () => {
    const { createPeer } = await import('/some/deep/folder/index.js')
    const peer = await createPeer({ store: 'memory' })
    const { cid } = await peer.add(new Blob(['here']))
    const out = await new Response(peer.cat(cid)).text()
    await peer.stop()
    return out
  })
  assert.equal(text, 'here')
})

journey('a trap of the core ends the peer with an error, and the page hears of it', async scene => {
  scene.expected.push(/unreachable/)
  const { page } = await alone(scene)
  const heard = await page.evaluate(async () => {
    const told = new Promise(resolve => peer.addEventListener('error', event => resolve(event.detail.code)))
    // A module that does nothing but trap, called from a task of the browser as the core mostly is.
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11]
    const { instance } = await WebAssembly.instantiate(Uint8Array.from(bytes))
    setTimeout(instance.exports.f)
    const code = await told
    const after = await peer.add(new Uint8Array(1)).catch(error => error.code)
    return { code, after }
  })
  assert.deepEqual(heard, { code: 'INTERNAL', after: 'INTERNAL' })
})

journey('a folder too large for one block: added, listed as it is pulled, and one entry of it found', async scene => {
  const { page } = await alone(scene, 'large-folder')
  const count = 6_000
  const { added, listed, first, one, stat } = await page.evaluate(async count => {
    function * entries () {
      for (let i = 0; i < count; i++) yield { path: `entry-${String(i).padStart(6, '0')}`, content: new Uint8Array([i, i >> 8]) }
    }
    const added = await peer.add(entries())
    const names = new Set()
    for await (const { name, size } of peer.ls(added.cid)) if (size === 2) names.add(name)
    const reader = peer.ls(added.cid).getReader()
    const first = (await reader.read()).value
    await reader.cancel()
    const one = [...await kit.bytes(peer.cat(`${added.cid}/entry-004321`))]
    return { added, listed: names.size, first, one, stat: await peer.stat(added.cid) }
  }, count)
  assert.equal(listed, count)
  assert.equal(added.size, 2 * count)
  assert.equal(first.type, 'raw')
  assert.deepEqual(one, [4321 & 255, 4321 >> 8])
  assert.equal(stat.type, 'directory')
  assert.ok(stat.blocks > count, 'it has shards beside its entries')
})
