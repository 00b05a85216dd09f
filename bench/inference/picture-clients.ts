/** Clients that send a picture, wait for what is on it, and send the next: binary frames of the native protocol over real sockets. */
import { WebSocket } from 'ws'
import { encodeBinaryFrame } from '#shared/protocol/binary-frame'
import type { Access } from '../relay/contestant.ts'

export interface Load {
  readonly clients: number
  /** All clients together. */
  readonly pictures: number
  readonly picture: Uint8Array
}

export interface Answered {
  /** From sending to the answer, milliseconds, each picture. */
  readonly latencies: readonly number[]
  /** As the relay says. */
  readonly processingMs: readonly number[]
}

const ANSWER_MS = 60_000

/** Rejects when an answer is an error or does not come. */
export async function sendPictures({ port, token }: Access, { clients, pictures, picture }: Load): Promise<Answered> {
  const latencies: number[] = []
  const processingMs: number[] = []
  let left = pictures
  async function work(client: PictureClient): Promise<void> {
    while (left > 0) {
      left -= 1
      const startedAt = performance.now()
      const took = await client.ask(picture)
      latencies.push(performance.now() - startedAt)
      processingMs.push(took)
    }
  }
  const opened = await Promise.all(Array.from({ length: clients }, () => openClient(`ws://127.0.0.1:${String(port)}/relay?token=${token}`)))
  try {
    await Promise.all(opened.map(work))
    return { latencies, processingMs }
  } finally {
    for (const client of opened) client.close()
  }
}

interface PictureClient {
  /** @returns what the relay says it took. */
  ask(picture: Uint8Array): Promise<number>
  close(): void
}

async function openClient(url: string): Promise<PictureClient> {
  const socket = new WebSocket(url)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  let count = 0
  return {
    ask(picture) {
      count += 1
      const id = String(count)
      socket.send(
        encodeBinaryFrame(JSON.stringify({ type: 'request', id, to: 'vision', method: 'predict', data: { keep: true } }), picture),
      )
      return waitFor(socket, id)
    },
    close: () => socket.terminate(),
  }
}

function waitFor(socket: WebSocket, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error('no answer'))), ANSWER_MS)
    function finish(settle: () => void): void {
      clearTimeout(timer)
      socket.off('message', onMessage)
      settle()
    }
    function onMessage(data: Buffer): void {
      const text = data.toString('utf8')
      const message: unknown = JSON.parse(text)
      if (read(message, 'id') !== id) return
      const prediction = read(message, 'data')
      const [faces, took] = [read(prediction, 'faces'), read(prediction, 'processingMs')]
      if (Array.isArray(faces) && faces.length === 1 && typeof took === 'number') finish(() => resolve(took))
      else finish(() => reject(new Error(`answered ${text}`)))
    }
    socket.on('message', onMessage)
  })
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
