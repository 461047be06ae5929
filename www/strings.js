// Every sentence of the page, in one place, so that other languages can come beside this one.
// Names that tests and screen readers find things by are here too; they are part of the contract of the page.

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const app = {
  title: 'Avocet',
  tagline: 'Files, from browser to browser',
  skip: 'Skip to the content',
  nav: 'Sections',
  drop: 'Drop to share',
  dropMore: 'Files and whole folders. Nothing is uploaded to a server.',
  crash: 'Restart',
};

export const notice = {
  label: 'Before you share',
  privacy:
    'Files go straight from browser to browser. Whoever opens your link, or shares with you, can see the network address of this device, even behind a proxy. Whoever has a link can open what it names.',
  understood: 'I understand',
  noRelay: 'This page came without a relay (there is no avocet.json next to it). You can add, open and keep files on this device, but nobody else can reach it.',
  plainHttp:
    'This page was opened by plain http. Sharing works, but the browser holds a few things back: files are held in memory while they are saved, they cannot be protected from being cleared, and adding them is slower. Open it by https to have all of it.',
};

export const missing = {
  webrtc: {
    title: 'This browser cannot connect to other browsers',
    todo: 'WebRTC is missing or switched off. Allow it in the settings or in your privacy extension, or use a current Firefox, Chrome, Edge or Safari. Until then files can only be kept and opened on this device.',
  },
  indexedDb: {
    title: 'This browser does not let the page keep anything',
    todo: 'IndexedDB is missing or blocked, as some private windows do. Files are held in memory and are gone when this page closes. Use a normal window to keep them.',
  },
  wasm: {
    title: 'This browser cannot run Avocet',
    todo: 'WebAssembly is missing or switched off. Use a current Firefox, Chrome, Edge or Safari.',
  },
};

export const status = {
  loading: 'Starting…',
  offlineMode: 'Ready, on this device only.',
  connecting: 'Ready. Connecting to the relay…',
  /** @param {number} n */
  connected: (n) => (n === 0 ? 'Ready. Nobody is connected yet.' : `Ready. Connected to ${count(n, 'peer', 'peers')}.`),
  browserOffline: 'This device is offline. What is here can still be opened; everything else goes on when the network is back.',
  backOnline: 'The network is back. Reconnecting…',
  relayLost: 'The connection to the relay is lost. Trying again…',
  failed: 'Avocet could not start.',
  broken: 'Avocet stopped working.',
};

export const share = {
  heading: 'Share',
  lead: 'Drop files or a folder anywhere on this page.',
  files: 'Choose files',
  folder: 'Choose a folder',
  paste: 'You can also paste files or text.',
  text: 'Share some text',
  textLabel: 'Text to share',
  textShare: 'Share this text',
  textName: 'note.txt',
  cancel: 'Cancel',
  again: 'Try again',
  another: 'Share something else:',
  waiting: 'Waiting until Avocet has started…',
  reading: 'Looking through the folder…',
  /** @param {number} n */
  queued: (n) => `${count(n, 'more', 'more')} waiting`,
  /** @param {number} n */
  several: (n) => count(n, 'file', 'files'),
  /** @param {string} name */
  adding: (name) => `Adding ${name}`,
  /** @param {string} name */
  done: (name) => `${name} is ready to be shared. The link can be copied.`,
  cancelled: 'Cancelled. Nothing is shared.',
  stopped: 'This was not shared. Choose it again when Avocet has been restarted.',
  /** @param {number} n */
  hidden: (n) => `${count(n, 'hidden file was', 'hidden files were')} left out.`,
  link: 'Link to share',
  copy: 'Copy link',
  copied: 'Copied',
  copyByHand: 'The link is selected: copy it with Ctrl+C, or by the menu of your phone.',
  qr: 'QR code of the link',
  qrTooLong: 'The link is too long for a QR code.',
  loopback: 'The link begins with an address that only this computer knows. Open this page by the address of this machine on the network to share with others.',
  noAddress: 'Nobody can reach this device yet, so the link names no address. It is completed as soon as the relay answers.',
  keepOpen: 'Keep this page open: nobody else holds this yet.',
  /** @param {number} n */
  held: (n) => (n === 1 ? 'One other device holds it too. This page may be closed as long as that one stays open.' : `${n} other devices hold it too. This page may be closed as long as one of them stays open.`),
  sending: 'Fetched from here by',
  /** @param {string} size */
  sent: (size) => `${size} sent`,
  /** @param {string} peer */
  sendingTo: (peer) => `Sent to ${peer}`,
};

export const open = {
  heading: 'Open',
  lead: 'Paste a link that somebody gave you. CIDs, ipfs:// addresses and links to gateways are understood too.',
  field: 'Link or CID to open',
  button: 'Open',
  placeholder: 'https://…#/ipfs/…  or  bafy…',
  cancel: 'Cancel',
  again: 'Try again',
  close: 'Close',
  cid: 'CID',
  notVetted: 'Not vetted',
  notVettedMore: 'Every byte is checked against this CID, but nobody has checked what it is. Open it only if you trust who gave you the link.',
  waiting: 'Waiting until Avocet has started…',
  /** @param {number} n */
  asking: (n) => (n === 0 ? 'Looking for somebody who has it.' : `Looking for it: asking ${count(n, 'peer', 'peers')}.`),
  dialling: 'Connecting to whoever the link names.',
  /** @param {number} asked */
  nobody: (asked) => `Nobody has it so far. Asked ${count(asked, 'peer', 'peers')} and looked in the DHT. Looking goes on until you cancel.`,
  /** @param {number} found */
  connecting: (found) => `Connecting to ${count(found, 'peer that is said to have it', 'peers that are said to have it')}.`,
  /** @param {number} found */
  unreachable: (found) => `${count(found, 'peer is said to have it, but cannot', 'peers are said to have it, but none can')} be reached now. Looking goes on until you cancel.`,
  nobodyOffline: 'It is not on this device, and this device is offline. Looking goes on when the network is back.',
  listing: 'Reading the folder…',
  fetching: 'Fetching',
  /** @param {string} peers */
  from: (peers) => `from ${peers}`,
  stalled: 'Nothing has come for a while. Whoever had it may be gone; it goes on by itself when somebody who has it appears.',
  /** @param {string} size */
  interrupted: (size) => `Whoever had it is gone. ${size} are here and stay here; looking for somebody else who has it.`,
  /** @param {string} name */
  done: (name) => `${name} is here, complete and verified.`,
  kept: 'Kept on this device, and shared on while this page is open.',
  notKept: 'Not kept: fetched again when it is needed.',
  cancelled: 'Cancelled. Open it again to go on where it stopped.',
  stopped: 'This waits until Avocet has been restarted.',
  save: 'Save',
  saveTo: 'Save to…',
  saveAll: 'Save all',
  saveCar: 'Download as CAR',
  /** @param {string} name */
  saveOne: (name) => `Save ${name}`,
  /** @param {string} size */
  keepAll: (size) => `Keep all of it (${size})`,
  /** @param {string} name */
  staging: (name) => `Preparing ${name} to be saved`,
  /** @param {string} name */
  saved: (name) => `${name} was handed to the browser's downloads.`,
  /** @param {string} name */
  savedTo: (name) => `${name} was saved.`,
  /** @param {number} n */
  zipSkipped: (n) => `${count(n, 'entry is', 'entries are')} not in the zip, because ${n === 1 ? 'it is no file' : 'they are no files'} (links or data).`,
  empty: 'This folder is empty.',
  entries: 'Files in this folder',
  /** @param {number} n @param {string} size */
  summary: (n, size) => `${count(n, 'entry', 'entries')}, ${size}`,
  /** @param {number} n */
  tooMany: (n) => `Only the first ${n} entries are shown.`,
  more: 'Show more',
  path: 'Path',
  preview: 'Preview',
  previewCut: 'Only the beginning is shown.',
  noPreview: 'This kind of file is not shown here, for your safety. Save it and open it with a program you trust.',
  types: { file: 'File', raw: 'File', directory: 'Folder', symlink: 'Link', ipld: 'Data' },
  /** @param {string} path */
  noEntry: (path) => `There is no “${path}” in this folder.`,
  notAFile: 'This CID names data that is neither a file nor a folder. It cannot be shown here.',
  trouble: 'Having trouble connecting?',
  causes: [
    'Whoever shared it has closed the page or put the device to sleep. Ask them to open it again: it goes on by itself.',
    'A firewall, a VPN or a privacy extension blocks direct connections (WebRTC) on one of the two sides. Try another network.',
    'The link was cut short. Compare its end with the original.',
    'The relay that both sides meet at is down. It is tried again every few seconds.',
  ],
  asked: 'Asked so far',
};

export const files = {
  heading: 'My files',
  lead: 'What you shared or opened is kept here, in this browser.',
  empty: 'Nothing is kept yet. What you share or open appears here.',
  loading: 'Reading what is kept…',
  unnamed: 'Without a name',
  /** @param {string} name */
  copy: (name) => `Copy the link of ${name}`,
  copyShort: 'Copy',
  /** @param {string} name */
  remove: (name) => `Remove ${name}`,
  removeShort: 'Remove',
  /** @param {string} name */
  car: (name) => `Download ${name} as CAR`,
  carShort: 'CAR',
  /** @param {number} n */
  fetchedBy: (n) => `being fetched by ${n}`,
  /** @param {string} name @param {string} freed */
  removed: (name, freed) => `${name} was removed. ${freed} freed.`,
  /** @param {string} name */
  removing: (name) => `Removing ${name}…`,
  /** @param {string} name */
  copied: (name) => `The link of ${name} was copied.`,
  /** @param {string} text */
  copyByHand: (text) => `The browser does not let the page copy. Copy it by hand: ${text}`,
  storage: 'Storage used',
  /** @param {string} used @param {string} quota */
  used: (used, quota) => `${used} used of the ${quota} that this browser allows`,
  /** @param {string} used */
  usedOnly: (used) => `${used} used`,
  persisted: 'The browser will not clear it by itself.',
  notPersisted: 'The browser may clear it when the disk is nearly full.',
  persist: 'Protect it',
  persistRefused: 'The browser did not agree. It often does after a few more visits, or when you bookmark or install the page.',
  low: 'Little room is left for files. Remove what you no longer need.',
};

export const car = {
  pick: 'Import a CAR',
  hint: 'A CAR is an archive of blocks, as IPFS programs write them.',
  /** @param {string} name */
  importing: (name) => `Importing ${name}`,
  waiting: 'Waiting until Avocet has started…',
  cancel: 'Cancel',
  cancelled: 'Cancelled. Nothing of it is kept.',
  /** @param {string} name @param {number} blocks */
  done: (name, blocks) => `${name} was imported: ${count(blocks, 'block', 'blocks')}, every one of them verified.`,
  noRoots: 'It does not say what its blocks belong to, so nothing of it is listed here, and it is not kept for long.',
};

export const peers = {
  heading: 'Peers',
  lead: 'Who this page is connected to at the moment.',
  empty: 'Nobody yet. Whoever opens one of your links appears here.',
  waiting: 'Avocet is starting…',
  columns: { id: 'Peer', path: 'Way', latency: 'Latency', sent: 'Sent', received: 'Received', agent: 'Program' },
  direct: 'direct',
  relayed: 'relayed',
  self: 'This device',
  id: 'Peer id',
  addresses: 'Addresses',
  noAddresses: 'None yet. Others can reach this device once a relay has answered.',
  /** @param {number} ms */
  latency: (ms) => (ms < 1 ? 'under 1 ms' : `${Math.round(ms)} ms`),
};

export const alert = { details: 'Details' };

/** What went wrong and what to do, by the codes of the package. @type {Record<string, { title: string, todo: string }>} */
export const errors = {
  INVALID_CID: { title: 'That is no link and no CID', todo: 'Copy the whole link again, from “http” to its last character, and paste it.' },
  INVALID_PATH: { title: 'The path in this link cannot be followed', todo: 'Copy the whole link again, or open the folder itself by the part before the path.' },
  INVALID_ADDR: { title: 'The link names an address that cannot be read', todo: 'Copy the whole link again. The CID alone may be enough to find it.' },
  INVALID_OPTION: { title: 'That cannot be done', todo: 'Reload the page and try again. If it happens again, the settings of this page (avocet.json) may be wrong.' },
  NOT_FOUND: { title: 'It was not found', todo: 'Ask whoever shared it to open their page again, then try again.' },
  NOT_A_FILE: { title: 'This is a folder, not a file', todo: 'Open it to see what is in it.' },
  NOT_A_DIRECTORY: { title: 'This is a file, not a folder', todo: 'Open the part of the link before the last “/”.' },
  CORRUPT: { title: 'What came was damaged', todo: 'Nothing wrong was kept. Try again: it is fetched from somebody else where there is one. If it stays so, whoever shared it should share it anew.' },
  LIMIT: { title: 'This is more than can be handled safely', todo: 'It goes beyond a limit that protects this device. Share it in smaller parts.' },
  QUOTA: { title: 'There is not enough room in this browser', todo: 'Remove something under “My files”, or free space on the disk, then try again. What was here before can still be read.' },
  TIMEOUT: { title: 'The answer took too long', todo: 'Try again. If it stays so, whoever has it may be on a slow network or gone.' },
  OFFLINE: { title: 'It is not on this device, and there is no network to ask', todo: 'Connect to a network, or open this page where it has a relay, then try again.' },
  UNREACHABLE: { title: 'Whoever has it cannot be reached', todo: 'Ask them to keep their page open, and try another network if one of you is behind a strict firewall or VPN.' },
  UNSUPPORTED: { title: 'This cannot be opened here', todo: 'It uses a format that this page does not know.' },
  STOPPED: { title: 'Avocet was stopped', todo: 'Restart it to go on.' },
  STORAGE: { title: 'The browser could not read or write its storage', todo: 'Close other tabs of this page and try again. If that does not help, restart the browser.' },
  INTERNAL: { title: 'Something broke inside Avocet', todo: 'Restart it. Your files are still there, and what was being fetched goes on where it stopped.' },
  CAR_DAMAGED: { title: 'This archive is damaged or incomplete', todo: 'Get the file again, or have it exported anew. Nothing of it is listed under “My files”.' },
  FILE_CHANGED: { title: 'The file changed or vanished while it was being read', todo: 'Nothing of it is shared. Choose it again.' },
  NOT_LOADED: { title: 'A part of this page could not be loaded', todo: 'Check the network and try again.' },
  UNKNOWN: { title: 'That did not work', todo: 'Try again. If it stays so, reload the page.' },
};
