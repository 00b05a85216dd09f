/** A VisionAI client that knows only a URL: one question, one answer, in order. */
import { WebSocket } from 'ws'

export type Answer = Readonly<Record<string, unknown>>

export interface VisionClient extends Disposable {
  /** The next message. Rejects when the connection ends first. */
  next(): Promise<Answer>
  send(message: unknown): void
  sendText(text: string): void
  sendBytes(bytes: Uint8Array): void
  ask(message: unknown): Promise<Answer>
  /** The code the connection was closed with. */
  readonly closed: Promise<number>
}

/** Resolves once the socket is open; the welcome waits. */
export async function openVisionClient(url: string): Promise<VisionClient> {
  const socket = new WebSocket(url)
  const answers: Answer[] = []
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
    answers.push(JSON.parse(data.toString('utf8')))
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  async function next(): Promise<Answer> {
    for (;;) {
      const answer = answers.shift()
      if (answer !== undefined) return answer
      if (isClosed) throw new Error('the connection ended first')
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const sendText = (text: string): void => {
    socket.send(text)
  }
  return {
    next,
    sendText,
    send: (message) => sendText(JSON.stringify(message)),
    sendBytes: (bytes) => {
      socket.send(bytes)
    },
    ask(message) {
      sendText(JSON.stringify(message))
      return next()
    },
    closed,
    [Symbol.dispose]: () => {
      socket.terminate()
    },
  }
}
