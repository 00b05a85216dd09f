/** A carousel_api client that knows only a URL: sends objects, waits for messages of a type. */
import { WebSocket } from 'ws'
import type { Told } from './carousel-talk.ts'

export interface CarouselClient extends Disposable {
  send(message: object | string): void
  /** The first message since the last one taken that fits; those before it are skipped. Rejects when the connection ends before. */
  next(fits: string | ((message: Told) => boolean)): Promise<Told>
  /** Everything that has come. */
  heard(): readonly Told[]
  /** The code the connection was closed with. */
  readonly closed: Promise<number>
}

/** Resolves once the socket is open; the welcome waits. */
export async function openCarouselClient(url: string): Promise<CarouselClient> {
  const socket = new WebSocket(url)
  const waiting: Told[] = []
  const heard: Told[] = []
  let wake = (): void => undefined
  let isClosed = false
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (code) => {
      isClosed = true
      wake()
      resolve(code)
    })
  })
  socket.on('message', (data: Buffer) => {
    const message: Told = JSON.parse(data.toString())
    waiting.push(message)
    heard.push(message)
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    send: (message) => {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    },
    async next(fits) {
      const isIt = typeof fits === 'string' ? ({ type }: Told): boolean => type === fits : fits
      for (;;) {
        for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) if (isIt(message)) return message
        if (isClosed) throw new Error('the connection ended first')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    heard: () => heard,
    closed,
    [Symbol.dispose]: () => {
      socket.terminate()
    },
  }
}
