/** Plain HTTP on uWebSockets.js: requests are copied before their handler returns, answers leave corked. */
import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'
import type { HttpHandler, HttpRequest, HttpResponse, HttpStreamResponse, Log, Socket } from '../ports.ts'
import type { ReadClientAddress } from './client-address.ts'
import { answerSafely, describeError, guard, isStream } from './handler-guard.ts'
import { failureResponse, internalFailure } from './http-answer.ts'
import { createRequestBody, type RequestBody } from './request-body.ts'
import { isBodiless, statusLine } from './status-line.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TurnEnd } from './turn-end.ts'
import { UwsEventStream } from './uws-event-stream.ts'
import type { Uws } from './uws-loader.ts'

export interface UwsHttpState {
  readonly uws: Uws
  readonly log: Log
  readonly handler: HttpHandler
  readonly turnEnd: TurnEnd
  readonly readClientAddress: ReadClientAddress
  /** What stays open, to be ended with the transport. */
  readonly open: Set<Socket>
  isStopping: boolean
}

/** One request, from its headers to its answer. */
interface Exchange {
  readonly response: UwsResponse
  readonly isHead: boolean
  /** The client has gone: the response must not be touched. */
  isGone: boolean
  /** Told when it goes. */
  readonly onGone: (() => void)[]
  stream: UwsEventStream | undefined
}

export function answerHttp(response: UwsResponse, request: UwsRequest, state: UwsHttpState): void {
  const exchange: Exchange = { response, isHead: request.getMethod() === 'head', isGone: false, onGone: [], stream: undefined }
  const body = createRequestBody(TRANSPORT_LIMITS.bodyBytes)
  response.onAborted(() => {
    exchange.isGone = true
    body.abort()
    exchange.stream?.end(1006)
    for (const listener of exchange.onGone.splice(0)) guard(state.log, listener)
  })
  try {
    const copied = copyRequest(request, response, { body, exchange, state })
    response.onData((chunk, isLast) => {
      if (chunk.byteLength > 0) body.push(new Uint8Array(chunk))
      if (isLast) body.finish()
    })
    void answerSafely(state.handler, copied, state.log).then((answer) => {
      if (exchange.isGone) return
      if (isStream(answer)) openStream(answer, { exchange, copied, state })
      else sendCorked(answer, exchange, state)
    })
  } catch (error) {
    state.log.error({ event: 'transport.handler_failed', error: describeError(error) })
    sendCorked(failureResponse(internalFailure()), exchange, state)
  }
}

/** What a plain request and an upgrade have in common, copied: the library's request dies when its handler returns. */
export function copyHead(
  request: UwsRequest,
  response: UwsResponse,
  { uws, readClientAddress }: Pick<UwsHttpState, 'uws' | 'readClientAddress'>,
): Omit<HttpRequest, 'method' | 'readBody' | 'onGone'> {
  const headers = readHeaders(request, uws)
  const peer = Buffer.from(response.getRemoteAddressAsText()).toString('latin1')
  return {
    path: request.getUrl(),
    query: new URLSearchParams(uws.readQuery(request)),
    headers,
    remoteAddress: readClientAddress(peer, headers.get('x-forwarded-for')),
  }
}

export function sendWhole(
  response: UwsResponse,
  answer: HttpResponse,
  { isHead, isClosing }: { isHead: boolean; isClosing: boolean },
): void {
  writeHead(response, answer, isClosing)
  if (isBodiless(answer.status)) response.endWithoutBody()
  else if (isHead) response.endWithoutBody(Buffer.byteLength(answer.body), isClosing)
  else response.end(answer.body, isClosing)
}

function copyRequest(
  request: UwsRequest,
  response: UwsResponse,
  { body, exchange, state }: { readonly body: RequestBody; readonly exchange: Exchange; readonly state: UwsHttpState },
): HttpRequest {
  return {
    ...copyHead(request, response, state),
    method: request.getMethod().toUpperCase(),
    readBody: (limitBytes) => body.read(limitBytes),
    onGone(listener) {
      exchange.onGone.push(listener)
    },
  }
}

function readHeaders(request: UwsRequest, uws: Uws): Map<string, string> {
  const headers = new Map<string, string>()
  uws.forEachHeader(request, (name, value) => {
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  })
  return headers
}

function openStream(
  answer: HttpStreamResponse,
  { exchange, copied, state }: { readonly exchange: Exchange; readonly copied: HttpRequest; readonly state: UwsHttpState },
): void {
  const { response, isHead } = exchange
  const head = { status: 200, headers: answer.headers, body: '' }
  if (isHead) {
    response.cork(() => {
      writeHead(response, head, state.isStopping)
      response.endWithoutBody(undefined, state.isStopping)
    })
    return
  }
  const isEventStream = (answer.headers['content-type'] ?? '').startsWith('text/event-stream')
  const { turnEnd, log, open } = state
  const stream = new UwsEventStream(response, { remoteAddress: copied.remoteAddress, isEventStream, turnEnd, log, forget })
  function forget(): void {
    open.delete(stream)
    exchange.isGone = true
  }
  exchange.stream = stream
  open.add(stream)
  response.cork(() => writeHead(response, head, false))
  stream.start(answer.open)
}

function sendCorked(answer: HttpResponse, exchange: Exchange, state: UwsHttpState): void {
  const how = { isHead: exchange.isHead, isClosing: state.isStopping }
  exchange.response.cork(() => guard(state.log, () => sendAnswer(exchange.response, answer, how)))
}

function sendAnswer(response: UwsResponse, answer: HttpResponse, how: { isHead: boolean; isClosing: boolean }): void {
  if (how.isHead || answer.body.length <= TRANSPORT_LIMITS.wholeBodyBytes) sendWhole(response, answer, how)
  else sendInPieces(response, answer, how.isClosing)
}

function writeHead(response: UwsResponse, answer: HttpResponse, isClosing: boolean): void {
  response.writeStatus(statusLine(answer.status))
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value)
  for (const cookie of answer.cookies ?? []) response.writeHeader('set-cookie', cookie)
  if (isClosing) response.writeHeader('connection', 'close')
}

/** Keeps to what the client reads: the body is never copied into the socket's own buffer as a whole. */
function sendInPieces(response: UwsResponse, answer: HttpResponse, isClosing: boolean): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
  writeHead(response, answer, isClosing)
  const start = response.getWriteOffset()
  const [isSent] = response.tryEnd(body, body.byteLength)
  if (isSent) return
  response.onWritable((offset) => {
    const [isNowSent] = response.tryEnd(body.subarray(offset - start), body.byteLength)
    return isNowSent
  })
}
