// A place on disk where bytes wait until the browser's download has taken them: a stream of any length becomes a Blob
// that is backed by a file in the origin's private file system (OPFS), so that memory does not grow with it.

/** Everything staged lies below this folder, one folder for each page that is open. */
const ROOT = 'stage';

/** The lock that says that a page, and with it its folder, is alive. */
const lockName = (/** @type {string} */ page) => `avocet-stage-${page}`;

/** @type {Promise<string> | undefined} the folder of this page, once it is claimed */
let claimed;

/** @type {Promise<Worker | undefined>} */
let worker = Promise.resolve(undefined);

let lastFile = 0;

/**
 * Reads `stream` to its end.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {{ signal: AbortSignal, onBytes: (bytes: number) => void }} options `onBytes`: how many came since the last call
 * @returns {Promise<{ blob: Blob, release: () => void }>} the bytes, and what frees the room that they take
 */
export async function stage(stream, { signal, onBytes }) {
  const page = await folder();
  return page ? stageInFile(stream, page, signal, onBytes) : stageInMemory(stream, signal, onBytes);
}

/**
 * Gets ready: loads the worker while whoever serves the page is there, for it may be gone when something is saved; and
 * removes what pages left that are no longer open.
 */
export async function openStage() {
  if (!hasFiles()) return;
  worker = startWorker();
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
    for await (const page of /** @type {any} */ (root).keys()) {
      // Whoever holds the lock is still at work.
      await navigator.locks.request(lockName(page), { ifAvailable: true }, async (lock) => {
        if (lock) await root.removeEntry(page, { recursive: true });
      });
    }
  } catch {
    // Nothing was ever staged, or it is in use: the next start looks again.
  }
}

/** Where files can be staged: the private file system can be there and refuse, as in some private windows. */
async function folder() {
  if (!hasFiles()) return undefined;
  try {
    if (!(await worker)) return undefined;
    claimed ??= claim();
    return await claimed;
  } catch {
    claimed = undefined;
    return undefined;
  }
}

/** @returns {Promise<string>} */
async function claim() {
  const page = crypto.randomUUID();
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  // Held until the page is gone: its promise never settles.
  await new Promise((held, refused) => {
    navigator.locks.request(lockName(page), () => (held(undefined), new Promise(() => {}))).catch(refused);
  });
  await root.getDirectoryHandle(page, { create: true });
  return page;
}

function hasFiles() {
  return typeof navigator.storage?.getDirectory === 'function' && 'locks' in navigator && typeof Worker === 'function';
}

async function stageInFile(
  /** @type {ReadableStream<Uint8Array>} */ stream,
  /** @type {string} */ page,
  /** @type {AbortSignal} */ signal,
  /** @type {(bytes: number) => void} */ onBytes,
) {
  const name = String((lastFile += 1));
  await ask({ open: [ROOT, page, name] });
  try {
    await drain(stream, signal, async (chunk) => {
      const { length } = chunk;
      // What shares its memory with something else must not be given away.
      const own = chunk.buffer.byteLength === length ? chunk : chunk.slice();
      await ask({ chunk: own }, [own.buffer]);
      onBytes(length);
    });
    await ask({ close: true });
  } catch (error) {
    await ask({ drop: true }).catch(() => {});
    throw error;
  }
  const root = await navigator.storage.getDirectory();
  const mine = await (await root.getDirectoryHandle(ROOT)).getDirectoryHandle(page);
  const blob = await (await mine.getFileHandle(name)).getFile();
  return { blob, release: () => void mine.removeEntry(name).catch(() => {}) };
}

async function stageInMemory(
  /** @type {ReadableStream<Uint8Array>} */ stream,
  /** @type {AbortSignal} */ signal,
  /** @type {(bytes: number) => void} */ onBytes,
) {
  /** @type {BlobPart[]} */
  const parts = [];
  await drain(stream, signal, async (chunk) => {
    // A browser may move a Blob to disk, never an array.
    parts.push(new Blob([/** @type {BlobPart} */ (chunk)]));
    onBytes(chunk.length);
  });
  return { blob: new Blob(parts), release: () => {} };
}

/** One chunk after the other: the next is asked for when the last one is written. */
async function drain(
  /** @type {ReadableStream<Uint8Array>} */ stream,
  /** @type {AbortSignal} */ signal,
  /** @type {(chunk: Uint8Array) => Promise<void>} */ write,
) {
  const reader = stream.getReader();
  const stop = () => reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      await write(value);
    }
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A message to the worker as a call; one at a time. */
async function ask(/** @type {object} */ message, /** @type {Transferable[]} */ transfer = []) {
  const it = await worker;
  if (!it) throw new DOMException('the stage could not be loaded', 'NetworkError');
  await new Promise((resolve, reject) => {
    it.onmessage = ({ data }) => (data.error ? reject(new DOMException(data.error.message, data.error.name)) : resolve(undefined));
    it.postMessage(message, transfer);
  });
}

/** @returns {Promise<Worker | undefined>} nothing where it cannot be loaded */
function startWorker() {
  return new Promise((resolve) => {
    const it = new Worker(new URL('./stage-worker.js', import.meta.url), { type: 'module', name: 'stage' });
    it.onmessage = () => resolve(it);
    it.onerror = () => resolve(undefined);
  });
}
