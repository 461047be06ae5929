// The section “Peers”: who is connected, and by which way; the id and the addresses of this device for those who look.

import { host } from './context.js';
import { shortId, shownName } from './names.js';
import { bytes } from './progress.js';
import { peers as words } from './strings.js';
import { View, html, nothing } from './view.js';

/** @typedef {import('../js/index.js').PeerInfo} PeerInfo */

class PeersView extends View {
  models = [host];
  ticks = true;

  render() {
    return html`
      <section class="card" aria-labelledby="peers" id="section-peers">
        <h2 id="peers" tabindex="-1">${words.heading}</h2>
        ${this.#list()}
        ${host.peer ? this.#self(host.peer) : nothing}
      </section>
    `;
  }

  #list() {
    if (!host.peer) return html`<p class="hint">${words.waiting}</p>`;
    const rows = host.peer.peers();
    if (rows.length === 0) return html`<p class="empty">${words.empty}</p>`;
    const { columns } = words;
    return html`
      <p class="hint">${words.lead}</p>
      <table class="peers">
        <thead>
          <tr>${Object.values(columns).map((title) => html`<th scope="col">${title}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((row) => this.#row(row))}</tbody>
      </table>
    `;
  }

  #row(/** @type {PeerInfo} */ peer) {
    const { columns } = words;
    return html`
      <tr>
        <th scope="row"><code title=${peer.id}>${shortId(peer.id)}</code></th>
        <td data-title=${columns.path}><span class="badge ${peer.direct ? 'good' : ''}">${peer.direct ? words.direct : words.relayed}</span> ${shownName(peer.transport)}</td>
        <td data-title=${columns.latency}>${peer.latencyMs === undefined ? '–' : words.latency(peer.latencyMs)}</td>
        <td data-title=${columns.sent}>${bytes(peer.sent)}</td>
        <td data-title=${columns.received}>${bytes(peer.received)}</td>
        <td data-title=${columns.agent} class="agent"><bdi>${peer.agent ? shownName(peer.agent) : '–'}</bdi></td>
      </tr>
    `;
  }

  #self(/** @type {import('./peer.js').Peer} */ peer) {
    const addresses = peer.addrs();
    return html`
      <details>
        <summary>${words.self}</summary>
        <dl>
          <dt>${words.id}</dt>
          <dd><code>${peer.id}</code></dd>
          <dt>${words.addresses}</dt>
          ${addresses.length ? addresses.map((address) => html`<dd><code>${address}</code></dd>`) : html`<dd>${words.noAddresses}</dd>`}
        </dl>
      </details>
    `;
  }
}

customElements.define('avocet-peers', PeersView);
