/** Snap7's server of S7 communication, with one data block, on a free port, which it prints. Ends after a minute, whatever happens. */
import { createRequire } from 'node:module'
import { createServer } from 'node:net'

const [packageName = 'node-snap7'] = process.argv.slice(2)
const { S7Server } = createRequire(import.meta.url)(packageName)
const LIFETIME_MS = 60_000
const BLOCK = 1

const probe = createServer()
await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
const { port } = probe.address()
await new Promise((resolve) => probe.close(resolve))

const block = Buffer.alloc(16)
block.writeUInt8(23, 0)
block.writeUInt16BE(3, 2)
const server = new S7Server()
if (!server.SetParam(server.LocalPort, port) || !server.RegisterArea(server.srvAreaDB, BLOCK, block) || !server.StartTo('127.0.0.1')) {
  throw new Error('the server did not start')
}
console.log(port)
// Held until then: a server that nobody refers to is collected, and closes.
setTimeout(() => {
  server.Stop()
  process.exit(0)
}, LIFETIME_MS)
