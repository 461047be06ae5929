// What is measured, in words: the rows of the table.
export const ADD = 'add (bytes in memory)'
export const ADD_FILE = 'add (a File)'
export const READ = 'read back'
export const BROWSERS = 'browser to browser'
export const FIRST_SMALL = 'first byte of 4 KiB, connected'
export const FIRST_LARGE = 'first byte of the large file, connected'
export const DIAL_COLD = 'dial, nothing connected'
export const DIAL_WARM = 'dial, relay reserved'
export const FROM_KUBO = 'Kubo to tab, WebSocket'
export const TO_KUBO = 'tab to Kubo, WebSocket'
export const IMPORT = 'CAR import'
export const EXPORT = 'CAR export'

/** Rows of whole files, for which bytes a second are told. */
export const SIZED = new Set([ADD, ADD_FILE, READ, BROWSERS, FROM_KUBO, TO_KUBO, IMPORT, EXPORT])
