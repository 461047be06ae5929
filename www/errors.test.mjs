import assert from 'node:assert/strict';
import test from 'node:test';
import { codeOf, explain, isAbort, isWorthWaiting } from './errors.js';

const CODES = ['INVALID_CID', 'INVALID_PATH', 'INVALID_ADDR', 'INVALID_OPTION', 'NOT_FOUND', 'NOT_A_FILE', 'NOT_A_DIRECTORY', 'CORRUPT', 'LIMIT',
  'QUOTA', 'TIMEOUT', 'OFFLINE', 'UNREACHABLE', 'UNSUPPORTED', 'STOPPED', 'STORAGE', 'INTERNAL'];

test('every code of the package says what went wrong and what to do', () => {
  for (const code of CODES) {
    const told = explain(Object.assign(new Error('the thing'), { code }));
    assert.equal(told.code, code);
    assert.ok(told.title && told.todo);
    assert.equal(told.detail, 'the thing');
  }
});

test("the browser's own errors are understood", () => {
  assert.equal(codeOf(new DOMException('x', 'NotReadableError')), 'FILE_CHANGED');
  assert.equal(codeOf(new DOMException('x', 'QuotaExceededError')), 'QUOTA');
  assert.equal(codeOf(new WebAssembly.RuntimeError('unreachable')), 'INTERNAL');
  for (const odd of [undefined, null, 'text', 5, {}, new Error('x'), { code: 'constructor' }]) assert.equal(codeOf(odd), 'UNKNOWN');
});

test('what to do follows from the code', () => {
  assert.ok(isAbort(new DOMException('x', 'AbortError')) && !isAbort(new Error('x')));
  assert.ok(explain({ code: 'INTERNAL' }).restart && !explain({ code: 'QUOTA' }).restart);
  assert.ok(isWorthWaiting({ code: 'NOT_FOUND' }) && !isWorthWaiting({ code: 'INVALID_CID' }));
});
