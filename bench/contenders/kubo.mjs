// Two Kubos: what it gives and takes when it is at both ends, without any browser.
import { KuboSide } from '../kubo-side.mjs'
import { FROM_KUBO, TO_KUBO } from '../names.mjs'

export async function kubo (stand, { size }) {
  const [from, to] = [await KuboSide.start(stand, size, 'from'), await KuboSide.start(stand, size, 'to')]
  await to.kubo.ipfs('swarm', 'connect', from.addr)
  return async () => {
    const ms = await to.read(await from.add())
    return { [FROM_KUBO]: ms, [TO_KUBO]: ms }
  }
}
