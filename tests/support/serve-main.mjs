// The static server as a program of its own, for a host of its own:
// `node serve-main.mjs HOST '{"/pkg/": "folder", "/": { "type": …, "body": … }}'`. Its one line is where it serves.
import { serve } from './static.mjs'

const [host, routes] = process.argv.slice(2)
const { origin } = await serve(JSON.parse(routes), { host })
console.log(origin)
