// A folder of 200 files with the names that people, and attackers, give to files.
import assert from 'node:assert/strict'
import { randomBytes, sha256, sha256File, writeTree } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { AvocetPage } from '../support/page.mjs'
import { LONG, until } from '../support/wait.mjs'
import { readZip } from '../support/zip.mjs'

/** 251 bytes of UTF-8 and an extension: 255, what file systems take at most. */
const LONGEST = `${'字'.repeat(83)}aa.txt`
const HTML = '<img src=x onerror=alert(1)>.txt'
const MARKS = 'invoice\u202efdp.exe'

const ODD = [
  '<b>bold</b>.txt'.replace('/', '∕'), HTML, MARKS, LONGEST, 'two  spaces .txt', '100% sure.txt', 'a%20b%2Fc.txt',
  'what? #1 & more.txt', 'שלום עולם.txt', 'e\u0301 and é.txt', '"quoted" \'name\'.txt', 'two .. dots.txt', '+plus;semi,comma=.txt',
  '👩‍👩‍👧 family.txt', '</script><script>alert(1)</script>.txt'.replaceAll('/', '∕'), 'CON.txt', 'tab\tname.txt'
]
const NESTED = ['deep/er/est/leaf.txt', 'deep/er/other.txt', 'deep/<i>.txt', 'deep/100%/x y.txt', 'empty file.txt']
const HIDDEN = ['.hidden', 'deep/.secret', '.git/config']

const TOTAL = 200

function tree () {
  const names = [...ODD, ...NESTED]
  for (let i = names.length; i < TOTAL; i++) names.push(`many/file ${String(i).padStart(3, '0')}.bin`)
  const next = randomBytes('folder')
  const files = new Map(names.map((name, i) => [name, name === 'empty file.txt' ? Buffer.alloc(0) : next(100 + i * 37)]))
  assert.equal(files.size, TOTAL)
  return files
}

/** The path of a zip entry without the folder that all share. */
function withoutRoot (names, folder) {
  return names.every(name => name.startsWith(`${folder}/`)) ? name => name.slice(folder.length + 1) : name => name
}

/** Whether `name` may be kept as it is on every disk, so that a zip has no reason to change it. */
const plain = name => !/[\u0000-\u001f\u200b-\u202e"*:<>?\\|]|^con\./i.test(name)

journey('a folder of 200 files with odd names', async scene => {
  const relay = await scene.relay()
  const folder = scene.path('files', 'odd folder')
  const files = tree()
  await writeTree(folder, files)
  await writeTree(folder, HIDDEN.map(name => [name, 'nobody shall see this']))
  const first = await scene.visitor('first', relay.page)
  let second

  await scene.step('it opens as a listing in another browser', async () => {
    await first.shareFolder(folder)
    second = await scene.visitor('second', await first.reachableLink())
    await second.heading('odd folder').first().waitFor()
    await second.page.getByText('100% sure.txt', { exact: true }).first().waitFor()
    // What is drawn runs spaces together, in the text that the browser tells as well.
    const drawn = text => text.replace(/\s+/g, ' ')
    const page = drawn(await second.page.locator('body').innerText())
    for (const name of ODD.filter(plain)) assert.ok(page.includes(drawn(name)), `not listed: ${name}`)
  })

  await scene.step('names are shown as text: no element, no dialog, no turned letters', async () => {
    const text = await second.page.locator('body').innerText()
    assert.ok(text.includes(HTML), 'the HTML name is not shown as it is')
    assert.ok(!text.includes('\u202e'), 'a mark that turns the text reaches the page')
    assert.equal(await second.page.locator('img[src="x"], img[onerror]').count(), 0)
    assert.equal(await first.page.locator('img[src="x"], img[onerror]').count(), 0)
  })

  await scene.step('hidden files are left out', async () => {
    assert.equal(await second.page.getByText('.hidden', { exact: true }).count(), 0)
    assert.equal(await second.page.getByText('.git', { exact: true }).count(), 0)
  })

  await scene.step('one file is saved', async () => {
    const saved = await second.save(second.page.getByRole('button', { name: 'Save 100% sure.txt', exact: true }))
    assert.equal(await sha256File(saved.path), sha256(files.get('100% sure.txt')))
    assert.equal(saved.name, '100% sure.txt')
  })

  await scene.step('Save all gives a zip with every file', async () => {
    const saved = await second.save(second.saveAllButton)
    assert.match(saved.name, /\.zip$/)
    const zip = await readZip(saved.path)
    const entries = [...zip].filter(([name]) => !name.endsWith('/'))
    const path = withoutRoot(entries.map(([name]) => name), 'odd folder')
    const inZip = new Map(entries.map(([name, bytes]) => [path(name), sha256(bytes)]))
    for (const name of inZip.keys()) {
      assert.doesNotMatch(name, /(^|\/)\.\.?(\/|$)|^\/|\\|[\u0000-\u001f\u202e]/, 'a name in the zip that is no safe path')
      for (const part of name.split('/')) assert.ok(Buffer.byteLength(part) <= 255, `${name} is too long`)
    }
    const contents = [...inZip.values()].sort()
    assert.deepEqual(contents, [...files.values()].map(sha256).sort(), 'the zip does not hold each content once')
    for (const [name, bytes] of files) if (plain(name)) assert.equal(inZip.get(name), sha256(bytes), name)
  })

  await scene.step('a folder in it is opened, and a file by its path', async () => {
    const link = await first.linkNow()
    const [base, query] = link.split('?')
    const nested = await AvocetPage.open(second.browser, `${base}/${encodeURIComponent('deep')}/er?${query}`)
    await nested.page.getByText('other.txt', { exact: true }).first().waitFor()
    const file = await AvocetPage.open(second.browser, `${base}/deep/${encodeURIComponent('100%')}/${encodeURIComponent('x y.txt')}`)
    const saved = await file.save()
    assert.equal(await sha256File(saved.path), sha256(files.get('deep/100%/x y.txt')))
  })
})

journey('several files chosen at once become a folder', async scene => {
  const relay = await scene.relay()
  const files = [await scene.file('a.bin', 300_000), await scene.file('b.bin', 2_500_000), await scene.file('c.bin', 0)]
  const first = await scene.visitor('first', relay.page)
  await first.share(...files.map(file => file.path))
  const second = await scene.visitor('second', await first.reachableLink())
  for (const file of files) await second.page.getByText(file.name, { exact: true }).first().waitFor()
  const zip = await readZip((await second.save(second.saveAllButton)).path)
  const found = new Map([...zip].map(([name, bytes]) => [name.split('/').at(-1), sha256(bytes)]))
  for (const file of files) assert.equal(found.get(file.name), file.sha256, file.name)
})

journey('a folder is dropped, with the folders in it', async scene => {
  const relay = await scene.relay()
  const folder = scene.path('files', 'dropped')
  await writeTree(folder, [['top.txt', 'top'], ['in/side.txt', 'inside'], ['.not', 'hidden']])
  const first = await scene.visitor('first', relay.page)
  await first.drop(folder)
  const second = await scene.visitor('second', await first.reachableLink())
  const saved = await second.save(second.saveAllButton, LONG)
  const zip = await until('the zip is whole', () => readZip(saved.path))
  const found = Object.fromEntries([...zip].filter(([name]) => !name.endsWith('/'))
    .map(([name, bytes]) => [name.replace(/^dropped\//, ''), bytes.toString()]))
  assert.deepEqual(found, { 'top.txt': 'top', 'in/side.txt': 'inside' })
})
