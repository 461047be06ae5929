// Writes files into the origin's private file system, one after the other. Only here, off the main thread, every
// browser has a way to write there. Messages, each answered: { open: [folders…, name] }, { chunk } as often as there are
// bytes, then { close } or, to leave nothing behind, { drop }.

/** @type {any} `FileSystemSyncAccessHandle` is known to workers only */
let file;
/** @type {FileSystemDirectoryHandle | undefined} */
let folder;
let fileName = '';

self.addEventListener('message', async ({ data }) => {
  try {
    if (data.open) await open(data.open);
    else if (data.chunk) writeAll(data.chunk);
    else if (data.close) finish();
    else await drop();
    postMessage({});
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    postMessage({ error: { name, message } });
  }
});

// Whoever started it may send now.
postMessage({});

async function open(/** @type {string[]} */ path) {
  fileName = /** @type {string} */ (path.pop());
  folder = await navigator.storage.getDirectory();
  for (const part of path) folder = await folder.getDirectoryHandle(part, { create: true });
  const handle = await folder.getFileHandle(fileName, { create: true });
  file = await /** @type {any} */ (handle).createSyncAccessHandle();
  file.truncate(0);
}

/** A write may be partial when the disk is nearly full. */
function writeAll(/** @type {Uint8Array} */ chunk) {
  for (let at = 0; at < chunk.length; ) {
    const written = file.write(chunk.subarray(at));
    if (!(written > 0)) throw new DOMException('the disk is full', 'QuotaExceededError');
    at += written;
  }
}

function finish() {
  file.flush();
  file.close();
  file = undefined;
}

async function drop() {
  file?.close();
  file = undefined;
  await folder?.removeEntry(fileName);
}
