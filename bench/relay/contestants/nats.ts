/** nats-server, as Debian packages it. */
import type { Contestant } from '../contestant.ts'
import { findFreePort } from '../../../scripts/free-port.ts'
import { findProgram, startServer } from '../server-process.ts'
import { createNatsWire } from '../wire/nats-wire.ts'

export const nats: Contestant = {
  name: 'nats',
  title: '`nats-server`',
  echo: 'published on a subject that only the publisher hears',
  start: async () => {
    const command = findProgram('nats-server')
    if (command === undefined) return undefined
    const port = await findFreePort()
    return startServer({ command, commandArguments: ['-a', '127.0.0.1', '-p', String(port), '-l', '/dev/null'], port })
  },
  wire: createNatsWire,
}
