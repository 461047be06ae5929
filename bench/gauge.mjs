// What a page's memory is made of, and how long its main thread was busy at a time.
const MIB = 1024 * 1024

/** Finds the wasm memory, and keeps the longest task (of those above 50 ms). Runs before the page. */
export const WATCH = `(() => {
  const watch = { memories: [], longest: 0, tasks: 0 }
  Object.defineProperty(globalThis, '__watch', { value: watch })
  const keep = result => {
    for (const value of Object.values((result.instance ?? result).exports)) {
      if (value instanceof WebAssembly.Memory) watch.memories.push(value)
    }
    return result
  }
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const native = WebAssembly[name]
    WebAssembly[name] = (...args) => native.apply(WebAssembly, args).then(keep)
  }
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) {
      watch.longest = Math.max(watch.longest, duration)
      watch.tasks += 1
    }
  }).observe({ type: 'longtask' })
})()`

/** Memory of one page: MiB by kind. */
export class Gauge {
  /** @type {{ at: string, heap: number, buffers: number, wasm: number, total: number }[]} */
  readings = []

  constructor (page, session) {
    this.page = page
    this.session = session
  }

  static async of (page) {
    const session = await page.context().newCDPSession(page)
    await session.send('HeapProfiler.enable')
    await session.send('Performance.enable')
    return new Gauge(page, session)
  }

  async read (at) {
    await this.session.send('HeapProfiler.collectGarbage')
    const usage = await this.session.send('Runtime.getHeapUsage')
    const wasm = await this.page.evaluate(() => __watch.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0))
    const heap = usage.usedSize + (usage.embedderHeapUsedSize ?? 0)
    const buffers = usage.backingStorageSize ?? 0
    const reading = { at, heap: inMib(heap), buffers: inMib(buffers), wasm: inMib(wasm), total: inMib(heap + buffers + wasm) }
    this.readings.push(reading)
    process.stderr.write(`${at.padEnd(16)} heap ${reading.heap} + buffers ${reading.buffers} + wasm ${reading.wasm} = ${reading.total} MiB\n`)
  }

  /** Seconds of processor that the page's process has used. */
  async processorSeconds () {
    const { metrics } = await this.session.send('Performance.getMetrics')
    return metrics.find(metric => metric.name === 'ProcessTime').value
  }

  get most () {
    return this.readings.reduce((most, reading) => reading.total > most.total ? reading : most)
  }
}

const inMib = bytes => Math.round(bytes / MIB * 10) / 10
