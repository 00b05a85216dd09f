/** Stands between browser and relay and counts the bytes on the wire, so that compression, caches and workers are all in the figure. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface CountingProxy {
  readonly origin: string
  /** Bytes that went to the browser since the last reset: headers, bodies and frames. */
  receivedBytes(): number
  reset(): void
  stop(): Promise<void>
}

export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  let bytes = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      socket.once('error', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    upstream.on('data', (chunk) => (bytes += chunk.length))
    client.pipe(upstream)
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    receivedBytes: () => bytes,
    reset() {
      bytes = 0
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
