/**
 * An IPFS peer that lives in a browser tab.
 *
 * ```js
 * import { createPeer } from 'avocet'
 *
 * const peer = await createPeer({ relays: ['/dns4/relay.example/tcp/443/wss/p2p/12D3…'] })
 * const { cid } = await peer.add(file)
 * for await (const chunk of peer.cat(cid)) console.log(chunk.length)
 * await peer.stop()
 * ```
 *
 * @module avocet
 */

// All of `src/` in one small file, which the build makes.
export { AvocetError, createPeer } from './pkg/peer.js'

/** @typedef {import('./src/peer.js').Peer} Peer */
/** @typedef {import('./src/errors.js').ErrorCode} ErrorCode */
/** @typedef {import('./src/source.js').Source} Source */
/** @typedef {import('./src/source.js').Entry} Entry */
/** @typedef {import('./src/source.js').Content} Content */
/** @typedef {import('./src/types.js').PeerOptions} PeerOptions */
/** @typedef {import('./src/types.js').AddOptions} AddOptions */
/** @typedef {import('./src/types.js').AddProgress} AddProgress */
/** @typedef {import('./src/types.js').AddResult} AddResult */
/** @typedef {import('./src/types.js').CatOptions} CatOptions */
/** @typedef {import('./src/types.js').CarExportOptions} CarExportOptions */
/** @typedef {import('./src/types.js').CarImportOptions} CarImportOptions */
/** @typedef {import('./src/types.js').CarImportResult} CarImportResult */
/** @typedef {import('./src/types.js').FindOptions} FindOptions */
/** @typedef {import('./src/types.js').PinOptions} PinOptions */
/** @typedef {import('./src/types.js').Progress} Progress */
/** @typedef {import('./src/types.js').Listed} Listed */
/** @typedef {import('./src/types.js').Stat} Stat */
/** @typedef {import('./src/types.js').Pinned} Pinned */
/** @typedef {import('./src/types.js').Codec} Codec */
/** @typedef {import('./src/types.js').Hash} Hash */
/** @typedef {import('./src/types.js').DagLink} DagLink */
/** @typedef {import('./src/types.js').DagValue} DagValue */
/** @typedef {import('./src/types.js').PeerInfo} PeerInfo */
/** @typedef {import('./src/types.js').Type} Type */
/** @typedef {import('./src/types.js').Usage} Usage */
