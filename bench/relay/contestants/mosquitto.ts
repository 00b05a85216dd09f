/** Mosquitto, as Debian packages it; quality of service 0, nothing kept. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contestant } from '../contestant.ts'
import { findFreePort } from '../../../scripts/free-port.ts'
import { findProgram, startServer } from '../server-process.ts'
import { createMqttWire } from '../wire/mqtt-wire.ts'

export const mosquitto: Contestant = {
  name: 'mosquitto',
  title: '`mosquitto`',
  echo: 'published on a topic that only the publisher hears',
  start: async () => {
    const command = findProgram('mosquitto')
    if (command === undefined) return undefined
    const port = await findFreePort()
    const folder = await mkdtemp(join(tmpdir(), 'bench-mosquitto-'))
    const file = join(folder, 'mosquitto.conf')
    const settings = [
      `listener ${String(port)} 127.0.0.1`,
      'allow_anonymous true',
      'persistence false',
      'log_type none',
      'set_tcp_nodelay true',
    ]
    await writeFile(file, `${settings.join('\n')}\n`)
    const server = await startServer({ command, commandArguments: ['-c', file], port })
    return {
      ...server,
      stop: async () => {
        await server.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
  wire: createMqttWire,
}
