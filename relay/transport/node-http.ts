/** Plain HTTP on node:http. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpHandler, HttpRequest, HttpResponse, HttpStreamResponse, Log, Socket } from '../ports.ts'
import type { ReadClientAddress } from './client-address.ts'
import { answerSafely, guard, isStream } from './handler-guard.ts'
import { NodeEventStream } from './node-event-stream.ts'
import { createRequestBody, type RequestBody } from './request-body.ts'
import { isBodiless, statusLine } from './status-line.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TurnEnd } from './turn-end.ts'

export interface NodeHttpState {
  readonly log: Log
  readonly handler: HttpHandler
  readonly turnEnd: TurnEnd
  readonly readClientAddress: ReadClientAddress
  /** What stays open, to be ended with the transport. */
  readonly open: Set<Socket>
  isStopping: boolean
  /** Told when the last socket has closed. */
  onAllClosed: () => void
}

export async function answerHttp(request: IncomingMessage, response: ServerResponse, state: NodeHttpState): Promise<void> {
  const body = createRequestBody(TRANSPORT_LIMITS.bodyBytes)
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('end', () => body.finish())
  request.on('close', () => body.abort())
  request.on('error', () => body.abort())
  response.on('error', () => response.destroy())
  const copied = copyRequest(request, body, state, response)
  const answer = await answerSafely(state.handler, copied, state.log)
  if (response.destroyed) return
  if (isStream(answer)) openStream(answer, { request: copied, response, state })
  else sendAnswer(answer, { request, response, isClosing: state.isStopping || !request.complete })
}

/** What a plain request and an upgrade have in common. */
export function copyHead(
  request: IncomingMessage,
  { readClientAddress }: Pick<NodeHttpState, 'readClientAddress'>,
): Omit<HttpRequest, 'method' | 'readBody' | 'onGone'> {
  const headers = readHeaders(request)
  const remoteAddress = readClientAddress(request.socket.remoteAddress ?? '', headers.get('x-forwarded-for'))
  return { ...parseUrl(request.url), headers, remoteAddress }
}

/** @param response undefined for a request that is answered at once. */
export function copyRequest(
  request: IncomingMessage,
  body: RequestBody,
  state: Pick<NodeHttpState, 'log' | 'readClientAddress'>,
  response?: ServerResponse,
): HttpRequest {
  return {
    ...copyHead(request, state),
    method: request.method ?? 'GET',
    readBody: (limitBytes) => body.read(limitBytes),
    onGone(listener) {
      response?.once('close', () => {
        if (!response.writableEnded) guard(state.log, listener)
      })
    },
  }
}

/** Answers an upgrade that does not happen: node:http leaves its stream to us. */
export function refuse(stream: Duplex, answer: HttpResponse): void {
  const headers = { ...answer.headers, connection: 'close', 'content-length': String(Buffer.byteLength(answer.body)) }
  const lines = [...Object.entries(headers), ...(answer.cookies ?? []).map((cookie): [string, string] => ['set-cookie', cookie])]
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`)
  stream.write(`HTTP/1.1 ${statusLine(answer.status)}\r\n${head.join('')}\r\n`)
  stream.end(answer.body)
}

export function refuseGarbage(stream: Duplex): void {
  if (stream.writable) stream.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  else stream.destroy()
}

function sendAnswer(
  answer: HttpResponse,
  { request, response, isClosing }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly isClosing: boolean },
): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.cookies === undefined ? {} : { 'set-cookie': [...answer.cookies] }),
    ...(isBodiless(answer.status) ? {} : { 'content-length': String(Buffer.byteLength(answer.body)) }),
    ...(isClosing ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' || isBodiless(answer.status) ? undefined : answer.body)
}

function openStream(
  answer: HttpStreamResponse,
  { request, response, state }: { readonly request: HttpRequest; readonly response: ServerResponse; readonly state: NodeHttpState },
): void {
  response.writeHead(200, answer.headers)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  response.flushHeaders()
  const { turnEnd, log, open } = state
  const stream = new NodeEventStream(response, { remoteAddress: request.remoteAddress, turnEnd, log })
  open.add(stream)
  stream.start(answer.open)
  response.on('close', () => {
    open.delete(stream)
    if (open.size === 0) state.onAllClosed()
  })
}

function parseUrl(raw: string | undefined): { readonly path: string; readonly query: URLSearchParams } {
  const url = raw ?? '/'
  const mark = url.indexOf('?')
  if (mark === -1) return { path: url, query: new URLSearchParams() }
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

function readHeaders(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return headers
}
