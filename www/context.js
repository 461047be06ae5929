// The models of the page, one of each. Views show them and call them; models know no view.

import { Announcer } from './announcer.js';
import { Importing } from './importing.js';
import { Opening } from './opening.js';
import { PeerHost } from './peer.js';
import { Saving } from './saving.js';
import { Sharing } from './sharing.js';
import { Transfers } from './transfers.js';

export const host = new PeerHost();
export const announcer = new Announcer();
export const transfers = new Transfers(host);
export const sharing = new Sharing(host, announcer);
export const opening = new Opening(host, announcer);
export const importing = new Importing(host, announcer);
export const saving = new Saving(host, announcer);
