/** A chat-completions server that does as a test says, over real HTTP: slow, cut, angry, silent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** One request, and how to answer it. */
export interface ChatExchange {
  readonly headers: IncomingMessage['headers']
  /** Parsed. */
  readonly body: { readonly model: string; readonly stream: boolean; readonly messages: readonly { role: string; content: string }[] }
  readonly response: ServerResponse
  /** Settles when the relay has gone before the answer was whole. */
  readonly whenAborted: Promise<void>
  /** Begins an event stream. */
  open(): void
  /** One event whose delta is this text. */
  say(text: string): void
  /** Raw bytes of the body. */
  write(bytes: string | Uint8Array): void
  /** The last event and `[DONE]`. */
  finish(): void
  /** Breaks the connection. */
  cut(): void
}

export interface FakeChatServer {
  /** For ASSISTANT_URL. */
  readonly url: string
  readonly exchanges: readonly ChatExchange[]
  /** How requests are answered from now on; without it they wait. */
  script(answer: (exchange: ChatExchange) => void): void
  /** The request with that number, from 0; settles when it has come. */
  exchange(number: number): Promise<ChatExchange>
  [Symbol.asyncDispose](): Promise<void>
}

const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
export const chatDelta = (content: string): string => event({ choices: [{ delta: { content }, finish_reason: null }] })
export const CHAT_END = `${event({ choices: [{ delta: {}, finish_reason: 'stop' }] })}data: [DONE]\n\n`

export async function startFakeChatServer(): Promise<FakeChatServer> {
  const exchanges: ChatExchange[] = []
  const waiting: { readonly number: number; readonly resolve: (exchange: ChatExchange) => void }[] = []
  let script: ((exchange: ChatExchange) => void) | undefined
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const exchange = createExchange(request, response, body)
      exchanges.push(exchange)
      for (const { number, resolve } of waiting) if (number === exchanges.length - 1) resolve(exchange)
      script?.(exchange)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${String(address.port)}/v1`,
    exchanges,
    script: (answer) => (script = answer),
    exchange: (number) => {
      const known = exchanges[number]
      return known === undefined ? new Promise((resolve) => waiting.push({ number, resolve })) : Promise.resolve(known)
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function createExchange(request: IncomingMessage, response: ServerResponse, text: string): ChatExchange {
  return {
    headers: request.headers,
    body: JSON.parse(text),
    response,
    whenAborted: new Promise((resolve) => response.once('close', () => (response.writableFinished ? undefined : resolve()))),
    open: () => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    say: (content) => void response.write(chatDelta(content)),
    write: (bytes) => void response.write(bytes),
    finish: () => void response.end(CHAT_END),
    cut: () => void response.destroy(),
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  request.setEncoding('utf8')
  for await (const piece of request) text += String(piece)
  return text
}
