/**
 * VisionAI: a WebSocket server for one question, "which of seven emotions does this picture show?", and its HTTP twin. On the one port at
 * `/vision` and `/api/v1`, and on any path of a port of its own.
 */
import { succeed } from '#shared/protocol/errors'
import type { Clock, DialectRoute, OlderSystem } from '../../ports.ts'
import { createVisionDialect, type VisionClients } from './vision-dialect.ts'
import { toHealth } from './vision-answers.ts'
import { createVisionRest } from './vision-rest.ts'

export interface VisionSystemOptions {
  readonly clock: Pick<Clock, 'now'>
  /** The largest picture that is read, as a file (IMAGE_BYTES). */
  readonly imageBytes: number
}

export const VISION_PATH = '/vision'
/** The original's library took 1 MiB a message: every picture that fitted there fits here, with room for its prefix. */
const FRAME_BYTES = 1.5 * 1024 * 1024

/** Its clients send one large picture after the other, each as soon as the last is answered: as many a second as one thread reads. */
const BYTES_FACTOR = 16

export function createVisionSystem({ clock, imageBytes }: VisionSystemOptions): OlderSystem {
  const clients = createClients()
  const socket: Omit<DialectRoute, 'path'> = {
    maxFrameBytes: FRAME_BYTES,
    bytesFactor: BYTES_FACTOR,
    door: 'compat',
    createDialect: () => succeed(createVisionDialect({ clock, clients })),
  }
  return {
    name: 'vision',
    sockets: [{ ...socket, path: VISION_PATH }],
    rest: createVisionRest({ clock, countClients: () => clients.count(), imageBytes }),
    rootSocket: socket,
    root: {
      door: 'open',
      answer: () => ({
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
        body: JSON.stringify(toHealth(clients.count(), clock.now())),
      }),
    },
  }
}

/** Who is connected; each client ends its own entry. */
function createClients(): VisionClients {
  let connected = 0
  return {
    add() {
      let isIn = true
      connected += 1
      return () => {
        if (isIn) connected -= 1
        isIn = false
      }
    },
    count: () => connected,
  }
}
