// What the build puts into one file: a page loads that at once, instead of a module after the other.
export { AvocetError } from './errors.js'
export { createPeer } from './peer.js'
