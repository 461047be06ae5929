// The other implementation's relay: js-libp2p in this process, over WebSocket, as its documentation sets it up.

// js-libp2p wants a newer Node than the oldest that serves here.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((yes, no) => { resolve = yes; reject = no })
  return { promise, resolve, reject }
}

/** @returns {Promise<{ relay: string, stop: () => Promise<void> }>} `relay`: its address, with its id */
export async function startJsRelay () {
  const [{ createLibp2p }, { webSockets }, { noise }, { yamux }, { identify }, { circuitRelayServer }] = await Promise.all([
    import('libp2p'),
    import('@libp2p/websockets'),
    import('@chainsafe/libp2p-noise'),
    import('@chainsafe/libp2p-yamux'),
    import('@libp2p/identify'),
    import('@libp2p/circuit-relay-v2')
  ])
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), relay: circuitRelayServer() }
  })
  return { relay: node.getMultiaddrs()[0].toString(), stop: () => node.stop() }
}
