import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTrapOf } from './src/errors.js'

const url = 'https://page.example/pkg/avocet_bg.wasm'
const trap = stack => Object.assign(new WebAssembly.RuntimeError('unreachable'), { stack })

test('a trap of our wasm is told from an error, and from the trap of another', () => {
  assert.ok(isTrapOf(url, trap(`RuntimeError: unreachable\n    at ${url}:wasm-function[7]:0x12`)))
  assert.ok(isTrapOf(url, trap('f@https://cdn.example/avocet_bg.wasm?v=2:wasm-function[7]:0x12')))
  assert.ok(!isTrapOf(url, trap('RuntimeError: unreachable\n    at https://page.example/other.wasm:wasm-function[7]:0x12')))
  assert.ok(!isTrapOf(url, new Error(`at ${url}`)))
  assert.ok(isTrapOf(url, trap('RuntimeError: unreachable\n    at wasm://wasm/00c0ffee:wasm-function[7]:0x12')), 'nobody is named')
})
