/** A cable between a client and a server on TCP that can be pulled, cut and plugged in again, for whatever protocol runs through it. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Cable extends AsyncDisposable {
  readonly port: number
  /** Nothing comes through any more, and nobody is told: no FIN, no RST. New connections open and stay silent. */
  pull(): void
  /** Every connection is reset, new ones are refused. */
  cut(): Promise<void>
  /** Both again as new; connections that were there when it was pulled are reset, as by a server that knows nothing of them. */
  plugIn(): Promise<void>
  /** Connections that came from the client so far. */
  connections(): number
  /** Bytes from the client so far, those that did not get through too. */
  bytesSent(): number
}

const HOST = '127.0.0.1'

/** Always on the same port, also after it was cut. */
export async function layCable(serverPort: number): Promise<Cable> {
  const ends = new Set<Socket>()
  let server: Server | undefined
  let isPulled = false
  let connections = 0
  let bytesSent = 0

  function accept(near: Socket): void {
    connections += 1
    const far = connect({ host: HOST, port: serverPort, noDelay: true })
    near.setNoDelay(true)
    near.on('data', (bytes) => (bytesSent += bytes.byteLength))
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end)
      end.on('error', () => undefined)
      end.on('data', (bytes) => {
        if (!isPulled) other.write(bytes)
      })
      end.on('close', () => {
        ends.delete(end)
        if (!isPulled) other.destroy()
      })
    }
  }
  async function listen(port: number): Promise<number> {
    const made = createServer(accept)
    server = made
    await new Promise<void>((resolve, reject) => {
      made.once('error', reject)
      made.listen(port, HOST, () => resolve())
    })
    const address = made.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  async function cut(): Promise<void> {
    const closing = server
    server = undefined
    for (const end of ends) end.resetAndDestroy()
    if (closing !== undefined) await new Promise<void>((resolve) => void closing.close(() => resolve()))
  }
  const port = await listen(0)
  return {
    port,
    pull() {
      isPulled = true
    },
    cut,
    async plugIn() {
      if (isPulled) for (const end of ends) end.resetAndDestroy()
      isPulled = false
      if (server === undefined) await listen(port)
    },
    connections: () => connections,
    bytesSent: () => bytesSent,
    [Symbol.asyncDispose]: cut,
  }
}
