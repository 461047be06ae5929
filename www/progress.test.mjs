import assert from 'node:assert/strict';
import test from 'node:test';
import { Rate, bytes, duration, percent } from './progress.js';

test('a steady transfer has its speed and its end', () => {
  const rate = new Rate();
  for (let second = 0; second <= 10; second += 0.1) rate.sample(second * 1000, second * 1_000_000);
  const speed = rate.perSecond(10_000);
  assert.ok(Math.abs(speed - 1_000_000) < 20_000, String(speed));
  assert.ok(Math.abs(rate.secondsLeft(10_000, 20_000_000) - 10) < 0.5);
});

test('nothing is claimed before anything is known', () => {
  const rate = new Rate();
  assert.equal(rate.perSecond(0), 0);
  rate.sample(0, 500);
  assert.equal(rate.perSecond(0), 0, 'what was here before is no speed');
  assert.equal(rate.secondsLeft(0, 1000), undefined);
});

test('a transfer that stops slows down to nothing', () => {
  const rate = new Rate();
  for (let i = 0; i <= 20; i += 1) rate.sample(i * 100, i * 1000);
  const moving = rate.perSecond(2000);
  const later = rate.perSecond(4000);
  assert.ok(later < moving && later > 0);
  assert.equal(rate.perSecond(60_000), 0);
  assert.equal(rate.secondsLeft(60_000, 1e9), undefined);
});

test('a new attempt starts anew', () => {
  const rate = new Rate();
  rate.sample(0, 0);
  rate.sample(1000, 5_000_000);
  rate.sample(2000, 100);
  assert.equal(rate.perSecond(2000), 0);
});

test('a flood of samples is kept small and right', () => {
  const rate = new Rate();
  for (let i = 0; i <= 100_000; i += 1) rate.sample(i / 10, i);
  assert.ok(Math.abs(rate.perSecond(10_000) - 10_000) < 500);
});

test('sizes', () => {
  const cases = [[0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1 kB'], [1234, '1.2 kB'], [999_499, '999 kB'], [999_500, '1 MB'],
    [50_000_000, '50 MB'], [52_428_800, '52 MB'], [3.2e9, '3.2 GB'], [NaN, '? bytes'], [-1, '? bytes'], [undefined, '0 bytes'], [2n ** 60n, '1153 PB']];
  for (const [size, text] of cases) assert.equal(bytes(size), text);
});

test('durations', () => {
  const cases = [[0, 'a second'], [1.2, 'a second'], [8.4, '8 seconds'], [65, 'a minute'], [150, '3 minutes'], [3 * 3600 + 300, '3 h 5 min'], [1e9, 'more than a day'], [NaN, 'a second']];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});

test('per cent never says done too early', () => {
  assert.deepEqual([[0, 0], [5, 0], [0, 10], [999, 1000], [1000, 1000], [1200, 1000]].map(([a, b]) => percent(a, b)), [0, 100, 0, 99, 100, 100]);
});
