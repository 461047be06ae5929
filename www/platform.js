// What this browser, on this address, has and lacks. Asked once, before anything is started.

/** Sharing directly with other browsers. */
export const hasWebRtc = typeof globalThis.RTCPeerConnection === 'function';

/** Running the peer at all. */
export const hasWasm = typeof globalThis.WebAssembly === 'object';

/** Clipboard, OPFS, WebCrypto, storage protection, Web Locks: absent on plain http of another machine. */
export const isSecure = globalThis.isSecureContext === true;

/** Saving straight to a place of one's choice. */
export const hasSavePicker = 'showSaveFilePicker' in globalThis;

/** The link of a page opened by such an address is of use on this machine only. */
export const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(globalThis.location?.hostname ?? '');

/** IndexedDB may be there and still refuse to open, as in some private windows. */
export async function hasIndexedDb() {
  if (!globalThis.indexedDB) return false;
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open('avocet-probe');
      request.onerror = () => resolve(false);
      request.onblocked = () => resolve(true);
      request.onsuccess = () => {
        request.result.close();
        indexedDB.deleteDatabase('avocet-probe');
        resolve(true);
      };
    } catch {
      resolve(false);
    }
  });
}

/** Asks for less motion. */
export function prefersStill() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
