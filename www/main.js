// Where the page begins. The frame is drawn and in use first; the peer, with its wasm, comes after it.

import './styles/index.css';
import './share-view.js';
import './qr-view.js';
import './open-view.js';
import './folder-view.js';
import './preview-view.js';
import './import-view.js';
import './files-view.js';
import './peers-view.js';
import './app.js';
import { host } from './context.js';
import { openStage } from './stage.js';

host.start();
openStage();
