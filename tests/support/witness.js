// Runs in every page before the page's own code, and only watches: which peer connections there are, and what the
// browser refused. It changes nothing that the page does.
(() => {
  const seen = { connections: [], violations: [] }
  Object.defineProperty(globalThis, '__witness', { value: seen })
  document.addEventListener('securitypolicyviolation', event => {
    seen.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`)
  })
  const Native = globalThis.RTCPeerConnection
  if (Native === undefined) return
  globalThis.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor (...args) {
      super(...args)
      seen.connections.push(this)
    }
  }
})()
