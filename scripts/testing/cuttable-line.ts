/** A TCP line on loopback that a test can cut, or let go deaf in one direction first, between a client and the real relay. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface CuttableLine extends AsyncDisposable {
  readonly port: number
  /** From now on nothing of what the relay says arrives over the present connections. */
  swallowAnswers(): void
  /** Ends the present connections; new ones are taken. */
  cut(): void
}

export async function openCuttableLine(relayPort: number): Promise<CuttableLine> {
  const sockets = new Set<Socket>()
  const deaf = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(relayPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => {
        if (!deaf.has(from)) to.write(data)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        deaf.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port was expected')
  return {
    port: address.port,
    swallowAnswers() {
      for (const socket of sockets) if (socket.remotePort === relayPort) deaf.add(socket)
    },
    cut() {
      for (const socket of [...sockets]) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...sockets]) socket.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}
