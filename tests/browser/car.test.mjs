// Archives: in and out of the package, and in and out of the page.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { readCar, wrapCar } from '../support/car.mjs'
import { MB, MIB, writeTree } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { packageRoutes, startPeer } from '../support/package-page.mjs'
import { until } from '../support/wait.mjs'

/** Bytes between a page and this process. */
const toBase64 = bytes => Buffer.from(bytes).toString('base64')

/** What the page can do with archives beyond the kit. */
const KIT = () => {
  globalThis.cars = {
    from: text => Uint8Array.from(atob(text), c => c.charCodeAt(0)),
    async text (stream) {
      const blob = new Blob([await kit.bytes(stream)])
      const url = await new Promise(resolve => {
        const reader = new FileReader()
        reader.onload = () => resolve(reader.result)
        reader.readAsDataURL(blob)
      })
      return url.slice(url.indexOf(',') + 1)
    }
  }
}

async function alone (scene, name = 'alone', store = 'memory') {
  const { origin } = await scene.serve(packageRoutes)
  const { page } = await startPeer(await scene.chromium(name), origin, { store })
  await page.evaluate(KIT)
  return page
}

journey('an archive out of one peer and into another', async scene => {
  const page = await alone(scene, 'cars', 'cars')
  const size = 9 * MIB + 7
  const exported = await page.evaluate(async size => {
    const bytes = kit.random(size)
    const small = Array.from({ length: 300 }, (_, i) => ({ path: `small/${i}.txt`, content: new TextEncoder().encode(`${i}`) }))
    const { cid, blocks } = await peer.add([{ path: 'a/large.bin', content: bytes }, ...small])
    return { cid, blocks, sha256: await kit.sha256(bytes), archive: await cars.text(peer.car.export(cid)) }
  }, size)
  const archive = Buffer.from(exported.archive, 'base64')
  const { blocks } = readCar(archive)

  await scene.step('it holds every block once, depth first', async () => {
    assert.equal(blocks.length, exported.blocks)
    assert.equal(new Set(blocks.map(({ cid }) => cid)).size, blocks.length)
  })

  for (const [name, bytes] of [['version 1', archive], ['version 2', wrapCar(archive)]]) {
    await scene.step(`${name} goes in, from bytes, a Blob and a stream, and reads the same`, async () => {
      const told = await page.evaluate(async ({ text, cid }) => {
        const bytes = cars.from(text)
        const stream = () => {
          let at = 0
          return new ReadableStream({
            pull (out) {
              if (at >= bytes.length) return out.close()
              out.enqueue(bytes.slice(at, at += 99_991))
            }
          })
        }
        const out = []
        for (const source of [bytes, new File([bytes], 'tree.car'), stream()]) {
          const other = await kit.createPeer({ store: 'memory' })
          const progress = []
          const result = await other.car.import(source, { onProgress: now => progress.push(now) })
          await other.gc()
          const pins = await kit.all(other.pins.ls())
          const got = await kit.bytes(other.cat(`${cid}/a/large.bin`))
          const names = await kit.all(other.ls(`${cid}/small`))
          const { blocks } = await other.usage()
          out.push({ result, pins, sha256: await kit.sha256(got), names: names.length, blocks, last: progress.at(-1) })
          await other.stop()
        }
        return out
      }, { text: toBase64(bytes), cid: exported.cid })
      for (const { result, pins, sha256, names, blocks: stored, last } of told) {
        assert.deepEqual(result, {
          roots: [exported.cid], blocks: blocks.length, bytes: blocks.reduce((sum, block) => sum + block.bytes.length, 0)
        })
        assert.deepEqual(pins.map(pin => [pin.cid, pin.recursive]), [[exported.cid, true]])
        assert.equal(sha256, exported.sha256)
        assert.equal(names, 300)
        assert.equal(stored, blocks.length)
        assert.ok(last.loaded >= archive.length)
      }
      assert.equal(told[1].pins[0].name, 'tree')
      assert.deepEqual(told[1].last, { loaded: bytes.length, total: bytes.length })
    })
  }

  await scene.step('a path, scopes, a range and repetitions', async () => {
    const told = await page.evaluate(async cid => {
      const out = async options => await cars.text(peer.car.export(cid, options))
      const same = { path: 'same', content: new Uint8Array(2_000_000).fill(7) }
      const twice = await peer.add([same, { ...same, path: 'again' }])
      return {
        block: await out({ path: 'a/large.bin', scope: 'block' }),
        entity: await out({ path: '/a', scope: 'entity' }),
        range: await out({ path: 'a/large.bin', entityBytes: [-7, null] }),
        first: await out({ path: 'a/large.bin', entityBytes: [0, 1048575] }),
        once: await cars.text(peer.car.export(twice.cid)),
        dups: await cars.text(peer.car.export(twice.cid, { dups: true }))
      }
    }, exported.cid)
    const count = name => readCar(Buffer.from(told[name], 'base64')).blocks.length
    assert.deepEqual(['block', 'entity', 'range', 'first'].map(count), [3, 2, 4, 4])
    assert.equal(count('once'), 1 + 1 + 2, 'the directory, the file and its two chunks')
    assert.equal(count('dups'), 1 + 2 * 3)
  })

  await scene.step('a signal ends both, and a reader that is cancelled ends its export', async () => {
    const told = await page.evaluate(async cid => {
      const importing = new AbortController()
      let ended = ''
      const slow = new ReadableStream({
        async pull () { setTimeout(() => importing.abort(), 50); await new Promise(() => {}) },
        cancel () { ended = 'told' }
      })
      const first = await kit.refused(peer.car.import(slow, { signal: importing.signal }))
      const exporting = new AbortController()
      const reader = peer.car.export(cid, { signal: exporting.signal }).getReader()
      await reader.read()
      exporting.abort()
      const second = await kit.refused(reader.read())
      const third = peer.car.export(cid).getReader()
      await third.read()
      await third.cancel()
      const endless = new ReadableStream({ pull (out) { out.enqueue(new Uint8Array(1000)) } })
      return { first, second, ended, endless: await kit.refused(peer.car.import(endless)), works: (await peer.stat(cid)).type }
    }, exported.cid)
    assert.deepEqual([told.first.name, told.second.name, told.works], ['AbortError', 'AbortError', 'directory'])
    assert.equal(told.ended, 'told', 'the source hears that no more is wanted')
    assert.equal(told.endless.code, 'CORRUPT', told.endless.message)
  })
})

journey('car-02 car-04 car-17 archives that are damaged: what is whole stays, nothing is pinned', async scene => {
  const page = await alone(scene)
  const told = await page.evaluate(async size => {
    const { cid } = await peer.add(kit.random(size))
    const archive = await kit.bytes(peer.car.export(cid))
    const flipped = archive.slice()
    flipped[archive.length - 1000] ^= 1
    const lacking = await kit.bytes(peer.car.export(cid, { scope: 'block' }))
    const bad = {
      cut: archive.slice(0, archive.length - 1000),
      flipped,
      lacking,
      nothing: new Uint8Array(0),
      text: new TextEncoder().encode('this is no archive at all'),
      version: Uint8Array.from([0x0b, 0xa1, 0x67, ...new TextEncoder().encode('version'), 0x18, 0x2a])
    }
    const out = {}
    for (const [name, bytes] of Object.entries(bad)) {
      const other = await kit.createPeer({ store: 'memory' })
      const error = await kit.refused(other.car.import(new Blob([bytes])))
      const { blocks } = await other.usage()
      out[name] = { ...error, blocks, pins: (await kit.all(other.pins.ls())).length, freed: (await other.gc()).blocks }
      await other.stop()
    }
    const loose = await kit.createPeer({ store: 'memory' })
    out.loose = await loose.car.import(lacking, { pin: false })
    await loose.stop()
    return { cid, out }
  }, 5 * MIB)
  const codes = { cut: 'CORRUPT', flipped: 'CORRUPT', lacking: 'CORRUPT', nothing: 'CORRUPT', text: 'CORRUPT', version: 'UNSUPPORTED' }
  for (const [name, code] of Object.entries(codes)) {
    const error = told.out[name]
    assert.equal(error.code, code, error.message)
    assert.equal(error.pins, 0, name)
    assert.equal(error.freed, error.blocks, name)
  }
  assert.equal(told.out.cut.blocks, 5, 'the root and four chunks of five')
  assert.equal(told.out.flipped.blocks, 5)
  assert.match(told.out.cut.message, /incomplete: it ends at byte \d+, .* 5 blocks/)
  assert.match(told.out.flipped.message, /bafkrei/)
  assert.match(told.out.version.message, /version: 42/)
  assert.deepEqual(told.out.loose.roots, [told.cid])
})

journey('the page: a folder goes out as an archive and comes back in another browser, byte for byte', async scene => {
  const relay = await scene.relay()
  const folder = scene.path('files', 'kept folder')
  const file = await scene.file('kept folder/in/large.bin', 12 * MB)
  await writeTree(folder, [['note.txt', 'a note']])
  const first = await scene.visitor('first', relay.page)
  await first.shareFolder(folder)
  let archive

  await scene.step('from My files, by a name that says what it does', async () => {
    const button = first.myFiles.getByRole('button', { name: 'Download kept folder as CAR', exact: true })
    archive = await first.save(button)
    assert.equal(archive.name, 'kept folder.car')
    assert.ok(readCar(await readFile(archive.path)).blocks.length > 12)
  })

  await scene.step('and from what is open', async () => {
    await first.myFiles.getByRole('link', { name: 'kept folder' }).click()
    const saved = await first.save(first.page.getByRole('button', { name: 'Download as CAR', exact: true }))
    assert.equal(saved.name, 'kept folder.car')
    assert.deepEqual(await readFile(saved.path), await readFile(archive.path))
  })

  await scene.step('somebody else imports it and opens it', async () => {
    await first.browser.kill()
    const path = scene.path('kept folder.car')
    await writeFile(path, await readFile(archive.path))
    const second = await scene.visitor('second', relay.page)
    await second.page.getByLabel('Import a CAR', { exact: true }).setInputFiles(path)
    await second.myFiles.getByText(/was imported: \d+ blocks/).waitFor()
    await second.myFiles.getByRole('link', { name: 'kept folder' }).click()
    await second.heading('kept folder').first().waitFor()
    await second.page.getByRole('link', { name: 'in', exact: true }).click()
    await second.page.getByRole('link', { name: 'large.bin', exact: true }).click()
    await second.compareSaved({ ...file, name: 'large.bin' })
  })

  await scene.step('an import is cancelled, by the keyboard, and nothing of it is listed', async () => {
    const big = await scene.file('big.bin', 150 * MB)
    const sender = await scene.visitor('sender', relay.page)
    await sender.share(big.path)
    const { path } = await sender.save(sender.myFiles.getByRole('button', { name: 'Download big.bin as CAR', exact: true }))
    await sender.browser.kill()
    const fourth = await scene.visitor('fourth', relay.page)
    await fourth.page.getByLabel('Import a CAR', { exact: true }).setInputFiles(path)
    await fourth.page.getByRole('progressbar', { name: /^Importing / }).waitFor()
    await fourth.myFiles.getByRole('button', { name: 'Cancel' }).press('Enter')
    await fourth.myFiles.getByText('Cancelled. Nothing of it is kept.').waitFor()
    assert.equal(await fourth.myFiles.getByRole('link').count(), 0)
    await fourth.browser.kill()
  })

  await scene.step('a damaged one is said to be, and leaves the page in use', async () => {
    const path = scene.path('damaged.car')
    const bytes = await readFile(archive.path)
    await writeFile(path, bytes.subarray(0, bytes.length - 5000))
    const third = await scene.visitor('third', relay.page)
    const input = third.page.getByLabel('Import a CAR', { exact: true })
    await input.setInputFiles(path)
    await third.alertText(/damaged or incomplete/)
    assert.equal(await third.myFiles.getByRole('link').count(), 0)
    await input.setInputFiles(scene.path('kept folder.car'))
    await third.myFiles.getByText(/was imported/).waitFor()
    await until('the list shows it', async () => await third.myFiles.getByRole('link', { name: 'kept folder' }).count() === 1)
    assert.equal(await third.alert.count(), 0)
  })
})
