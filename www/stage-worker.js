// Writes one file into the origin's private file system. Only here, off the main thread, every browser has a way to
// write there. Messages: { open: [folder, name] }, then { chunk } as often as there are bytes, then { close }; each is answered.

/** @type {any} `FileSystemSyncAccessHandle` is known to workers only */
let file;

self.addEventListener('message', async ({ data }) => {
  try {
    if (data.open) await open(data.open);
    else if (data.chunk) writeAll(data.chunk);
    else finish();
    postMessage({});
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    postMessage({ error: { name, message } });
  }
});

async function open(/** @type {string[]} */ path) {
  let folder = await navigator.storage.getDirectory();
  const name = /** @type {string} */ (path.pop());
  for (const part of path) folder = await folder.getDirectoryHandle(part, { create: true });
  const handle = await folder.getFileHandle(name, { create: true });
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
}
