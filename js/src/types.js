/**
 * The shapes that the calls take and give. There is no code here.
 *
 * @typedef {object} PeerOptions
 * @property {string} [store] name of the IndexedDB database, or `memory`; `avocet` when left out
 * @property {string[]} [relays] multiaddrs to reserve on
 * @property {string[]} [bootstrap] multiaddrs of DHT peers
 * @property {string[]} [routers] delegated routing: not built yet
 * @property {string[]} [gateways] trustless gateways: not built yet
 * @property {RTCIceServer[]} [iceServers]
 * @property {string | URL} [wasmUrl] where the wasm file is, if not beside the package
 * @property {AbortSignal} [signal] ends the start
 */

/**
 * @typedef {{ loaded: number, total: number | undefined }} Progress bytes; `total` where it is known
 * @typedef {Progress & { path: string }} AddProgress
 */

/**
 * @typedef {object} AddOptions
 * @property {'unixfs-v1-2025' | 'unixfs-v0-2015'} [profile]
 * @property {0 | 1} [cidVersion]
 * @property {boolean} [rawLeaves]
 * @property {string} [chunker] `size-N`, `rabin-MIN-AVG-MAX` or `buzhash`
 * @property {'balanced' | 'trickle'} [layout]
 * @property {number} [maxLinks]
 * @property {Hash} [hash]
 * @property {number} [inlineLimit] blocks of so many bytes or fewer go into their CIDs: 128 at most
 * @property {number} [hamtThreshold] a directory of more bytes is sharded
 * @property {'block' | 'links'} [hamtSize] bytes of its block, or of its names and CIDs
 * @property {number} [hamtFanout] a power of two from 8 to 1024
 * @property {string} [wrap] puts what is added into a directory, under this name
 * @property {boolean} [hidden] takes names that begin with a dot as well
 * @property {boolean} [pin] true when left out
 * @property {(progress: AddProgress) => void} [onProgress]
 * @property {AbortSignal} [signal]
 */

/**
 * @typedef {{ cid: string, size: number, blocks: number }} AddResult `size`: bytes of the content;
 *   `blocks`: how many it came to, each counted once
 */

/**
 * @typedef {{ providers?: string[], signal?: AbortSignal }} FindOptions `providers`: multiaddrs to
 *   ask first
 * @typedef {FindOptions & { offset?: number, length?: number,
 *   onProgress?: (progress: Progress) => void }} CatOptions
 * @typedef {FindOptions & { recursive?: boolean, name?: string,
 *   onProgress?: (progress: Progress) => void }} PinOptions
 */

/**
 * @typedef {object} CarImportOptions
 * @property {boolean} [pin] whether the archive's roots are pinned; true when left out
 * @property {string} [name] what to call the pins; the file's own name when left out
 * @property {(progress: Progress) => void} [onProgress] bytes of the archive
 * @property {AbortSignal} [signal]
 */

/**
 * @typedef {{ roots: string[], blocks: number, bytes: number }} CarImportResult `blocks`: each
 *   counted once; `bytes`: theirs
 */

/**
 * @typedef {object} CarExportOptions
 * @property {string} [path] names to follow from the CID; the blocks on the way come first
 * @property {'block' | 'entity' | 'all'} [scope] what of the end of the path: its one block, what it
 *   takes to read the file or to list the directory, or all below it, which it is when left out
 * @property {[from: number, to?: number | null]} [entityBytes] only what these bytes of the file
 *   take, first and last, counted from its end where negative; `scope` is `entity` then
 * @property {boolean} [dups] a block comes wherever it is linked to, not once
 * @property {string[]} [providers] multiaddrs to ask first
 * @property {AbortSignal} [signal]
 */

/**
 * @typedef {'file' | 'directory' | 'symlink' | 'raw' | 'ipld'} Type
 * @typedef {{ name: string, cid: string, size: number, type: Type }} Listed
 * @typedef {{ cid: string, type: Type, size: number, localSize: number, blocks: number,
 *   mode?: number, mtime?: { secs: number, nsecs?: number } }} Stat `localSize` and `blocks`: of it
 *   already here
 * @typedef {{ cid: string, recursive: boolean, name?: string, size?: number }} Pinned
 */

/**
 * @typedef {'raw' | 'dag-pb' | 'dag-cbor' | 'dag-json'} Codec
 * @typedef {'sha2-256' | 'sha2-512' | 'blake2b-256' | 'blake3' | 'identity'} Hash
 * @typedef {{ '/': string }} DagLink the CID
 * @typedef {null | boolean | number | bigint | string | Uint8Array | DagLink | DagList | DagMap} DagValue
 * @typedef {Array<DagValue>} DagList
 * @typedef {{ [key: string]: DagValue }} DagMap
 */

/**
 * @typedef {{ id: string, addr: string, transport: string, direct: boolean,
 *   direction: 'inbound' | 'outbound', latencyMs: number | undefined, sent: number,
 *   received: number, agent: string }} PeerInfo `transport`: `webrtc`, `websocket`, `webrtc-direct` or `circuit`
 * @typedef {{ used: number, quota: number | undefined, blocks: number, persisted: boolean }} Usage
 *   `quota` is unknown where the browser does not tell it
 */

export {}
