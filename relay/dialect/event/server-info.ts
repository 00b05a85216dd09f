/** `GET /` on a port of the events' own: what is spoken here, for whoever comes with a browser or curl. */
import type { HttpRequest, HttpResponse } from '../../ports.ts'
import { EVENT_VERSION } from './event-answers.ts'

export function answerServerInfo({ headers }: HttpRequest): HttpResponse {
  const host = readHost(headers)
  const info = {
    message: 'YektaYar WebSocket Server',
    version: EVENT_VERSION,
    status: 'running',
    protocols: {
      socketio: {
        path: '/socket.io/',
        description: 'Socket.IO v4: long polling, WebSocket, and the way from one to the other',
        transports: ['websocket', 'polling'],
      },
      websocket: {
        path: '/',
        description: 'Native WebSocket, one {"event","data"} object per frame',
        authentication: 'Query parameter (?token=YOUR_TOKEN) or Authorization header (Bearer YOUR_TOKEN)',
      },
    },
    usage: {
      socketio: `io('http://${host}', { auth: { token: 'YOUR_TOKEN' } })`,
      websocket: `new WebSocket('ws://${host}/?token=YOUR_TOKEN')`,
    },
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify(info),
  }
}

/** Names and ports only: the header is the client's. */
function readHost(headers: ReadonlyMap<string, string>): string {
  const host = headers.get('host') ?? ''
  return /^[\w.:[\]-]{1,255}$/.test(host) ? host : 'localhost'
}
