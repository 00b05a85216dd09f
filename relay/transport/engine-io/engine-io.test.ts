/** Engine.IO over our own transports: the protocol's rules on each, and what a wire cannot show, with a clock whose hands are turned. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSystemClock } from '../../ops/system-clock.ts'
import { createSystemRandom } from '../../ops/system-random.ts'
import type { Clock, HttpRequest, HttpResponse, Socket, SocketListener, SocketRoute } from '../../ports.ts'
import { chooseTransport, findTransports } from '../choose-transport.ts'
import { createEngineIo, type EngineIo } from './engine-io.ts'
import type { EngineLimits } from './engine-limits.ts'
import { readPacket, readPayload } from './engine-packet.ts'
import { describeEngineIo, type EngineSubject } from './testing/engine-io-suite.ts'

const PATH = '/socket.io/*'
const BEAT_MS = 300

/** Echoes what comes and pings at every beat, as a session would. */
function createEchoRoute(clock: Clock): SocketRoute {
  return {
    path: PATH,
    maxFrameBytes: 1_000_000,
    onUpgrade: () => ({
      accept: true,
      subprotocol: undefined,
      open(socket) {
        const stop = clock.every(BEAT_MS, () => socket.ping())
        return {
          onText: (text) => void socket.sendText(new TextEncoder().encode(text)),
          onBinary: (bytes) => void socket.sendBinary(bytes),
          onTooLarge: () => socket.close(1009, ''),
          onPong: () => undefined,
          onDrain: () => undefined,
          onClose: stop,
        }
      },
    }),
  }
}

async function startEcho(choice: 'uws' | 'ws'): Promise<EngineSubject> {
  const clock = createSystemClock()
  // Generous, because a busy machine takes its time to answer.
  const limits = { pingIntervalMs: BEAT_MS, pingTimeoutMs: 3_000 }
  const engine = createEngineIo({ route: createEchoRoute(clock), clock, random: createSystemRandom(), limits })
  const [http] = engine.http
  if (http === undefined) throw new Error('no route')
  const transport = chooseTransport(choice, { routes: { sockets: engine.sockets, http: http.answer }, log: createKeptLog() })
  const bound = await transport?.start({ host: '127.0.0.1', port: 0 })
  if (transport === undefined || bound?.ok !== true) throw new Error('no transport')
  return { url: `http://127.0.0.1:${String(bound.port)}/socket.io/`, stop: () => transport.stop() }
}

for (const choice of findTransports()) describeEngineIo(choice, () => startEcho(choice))

// ---------------------------------------------------------------- without a wire

interface Rig {
  readonly engine: EngineIo
  readonly clock: ReturnType<typeof createFakeClock>
  /** The session's side of the last connection. */
  readonly session: { socket: Socket | undefined; readonly heard: string[] }
  get(query?: string, onGone?: (leave: () => void) => void): Promise<HttpResponse>
  post(body: string, query?: string): Promise<HttpResponse>
  /** Polls until an id is given. */
  open(): Promise<string>
}

function createRig(limits: Partial<EngineLimits> = {}): Rig {
  const clock = createFakeClock()
  const session: Rig['session'] = { socket: undefined, heard: [] }
  const listener: SocketListener = {
    onText: (text) => void session.heard.push(`text ${text}`),
    onBinary: (bytes) => void session.heard.push(`binary ${String(bytes.byteLength)}`),
    onTooLarge: (sizeBytes) => void session.heard.push(`large ${String(sizeBytes)}`),
    onPong: () => void session.heard.push('pong'),
    onDrain: () => void session.heard.push('drain'),
    onClose: (code) => void session.heard.push(`close ${String(code)}`),
  }
  const route: SocketRoute = {
    path: PATH,
    maxFrameBytes: 100,
    onUpgrade: ({ headers }) =>
      headers.has('x-stranger')
        ? { accept: false, failure: { code: 'rate.limited', message: 'Enough.' } }
        : {
            accept: true,
            subprotocol: undefined,
            open(socket) {
              session.socket = socket
              return listener
            },
          },
  }
  const engine = createEngineIo({ route, clock, random: createSystemRandom(), limits })
  const [http] = engine.http
  if (http === undefined) throw new Error('no route')
  const ask = async (request: Partial<HttpRequest>): Promise<HttpResponse> => {
    const answer = await http.answer({ ...BARE_REQUEST, ...request })
    if (!('status' in answer)) throw new Error('a stream')
    return answer
  }
  const get: Rig['get'] = (query = 'EIO=4&transport=polling', onGone = () => undefined) =>
    ask({ query: new URLSearchParams(query), onGone })
  return {
    ...{ engine, clock, session, get },
    post: (body, query) =>
      ask({
        method: 'POST',
        query: new URLSearchParams(query),
        readBody: () => Promise.resolve({ ok: true, value: new TextEncoder().encode(body) }),
      }),
    async open() {
      const { sid } = JSON.parse(textOf(await get()).slice(1))
      return `EIO=4&transport=polling&sid=${String(sid)}`
    },
  }
}

const BARE_REQUEST: HttpRequest = {
  method: 'GET',
  path: '/socket.io/',
  query: new URLSearchParams(),
  headers: new Map(),
  remoteAddress: '127.0.0.1',
  readBody: () => Promise.resolve({ ok: true, value: new Uint8Array() }),
  onGone: () => undefined,
}

function textOf({ body }: HttpResponse): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body)
}

const say = (socket: Socket | undefined, text: string): number | undefined => socket?.sendText(new TextEncoder().encode(text))

describe('Engine.IO connections', () => {
  it('[EC1] tells the session what waits for the next poll, and when it was taken', async () => {
    const rig = createRig()
    const query = await rig.open()
    expect(say(rig.session.socket, 'hello')).toBe(6)
    rig.session.socket?.sendBinary(Uint8Array.of(1, 2))
    expect(rig.session.socket?.bufferedBytes()).toBe(8)
    expect(textOf(await rig.get(query))).toBe('4hello\u001ebAQI=')
    expect([rig.session.socket?.bufferedBytes(), rig.session.heard]).toEqual([0, ['drain']])
  })
  it('[EC2] sends what was said in one turn together', async () => {
    const rig = createRig()
    const query = await rig.open()
    const polled = rig.get(query)
    say(rig.session.socket, 'one')
    say(rig.session.socket, 'two')
    expect(textOf(await polled)).toBe('4one\u001e4two')
  })
  it('[EC3] ends a client that polls no more after a beat and the time for an answer', async () => {
    const rig = createRig()
    const query = await rig.open()
    rig.clock.advance(44_999)
    expect(rig.engine.count()).toBe(1)
    rig.clock.advance(1)
    expect(rig.engine.count()).toBe(0)
    expect((await rig.get(query)).status).toBe(400)
    expect(rig.session.heard).toEqual(['close 1006'])
    expect(rig.clock.pendingTimers()).toBe(0)
  })
  it('[EC4] keeps a client whose poll waits, however long', async () => {
    const rig = createRig()
    const polled = rig.get(await rig.open())
    rig.clock.advance(3_600_000)
    say(rig.session.socket, 'at last')
    expect(textOf(await polled)).toBe('4at last')
  })
  it('[EC12] ends a client whose poll breaks off while it waits', async () => {
    const rig = createRig()
    let leave: () => void = () => undefined
    void rig.get(await rig.open(), (listener) => (leave = listener))
    await Promise.resolve()
    leave()
    await Promise.resolve()
    expect([rig.session.heard, rig.engine.count(), rig.clock.pendingTimers()]).toEqual([['close 1006'], 0, 0])
  })
  it('[EC5] ends a client that answers no ping in time; any packet is an answer', async () => {
    const rig = createRig()
    const query = await rig.open()
    rig.session.socket?.ping()
    expect(textOf(await rig.get(query))).toBe('2')
    rig.clock.advance(19_999)
    await rig.post('4alive', query)
    rig.clock.advance(19_999)
    rig.session.socket?.ping()
    const polled = rig.get(query)
    expect(textOf(await polled)).toBe('2')
    rig.clock.advance(20_000)
    expect(rig.engine.count()).toBe(0)
  })
  it('[EC6] a session that closes gets its last words to the client, and its ending once they are taken', async () => {
    const rig = createRig()
    const query = await rig.open()
    say(rig.session.socket, 'goodbye')
    rig.session.socket?.close(1000, 'done')
    say(rig.session.socket, 'too late')
    expect(rig.session.heard).toEqual([])
    expect(textOf(await rig.get(query))).toBe('4goodbye\u001e1')
    await Promise.resolve()
    expect([rig.session.heard, rig.engine.count(), rig.clock.pendingTimers()]).toEqual([['close 1000'], 0, 0])
  })
  it('[EC7] terminate ends at once; a poll that waits gets a close packet', async () => {
    const rig = createRig()
    const polled = rig.get(await rig.open())
    await Promise.resolve()
    rig.session.socket?.terminate()
    rig.session.socket?.terminate()
    expect(textOf(await polled)).toBe('1')
    expect([rig.session.heard, rig.engine.count(), rig.clock.pendingTimers()]).toEqual([['close 1006'], 0, 0])
  })
  it('[EC8] tells of a message over the limit instead of passing it on', async () => {
    const rig = createRig()
    await rig.post(`4${'x'.repeat(101)}`, await rig.open())
    expect(rig.session.heard).toEqual(['large 101'])
  })
  it('[EC9] refuses more packets in one body than are read', async () => {
    const rig = createRig({ maxPayloadPackets: 3 })
    const query = await rig.open()
    expect((await rig.post('4a\u001e4b\u001e4c', query)).status).toBe(200)
    expect((await rig.post('4a\u001e4b\u001e4c\u001e4d', query)).status).toBe(400)
  })
  it('[EC10] a refusal at the door keeps its status and says why', async () => {
    const rig = createRig()
    const [http] = rig.engine.http
    const query = new URLSearchParams('EIO=4&transport=polling')
    const answer = await http?.answer({ ...BARE_REQUEST, query, headers: new Map([['x-stranger', '1']]) })
    expect(answer).toMatchObject({ status: 429, body: '{"code":4,"message":"Enough."}' })
    expect(rig.engine.count()).toBe(0)
  })
  it('[EC11] an upgrade that does not come to its end in time is given up', async () => {
    const rig = createRig()
    const query = await rig.open()
    const probe = createProbe()
    const answer = await rig.engine.sockets[0]?.onUpgrade({
      ...BARE_REQUEST,
      query: new URLSearchParams(query.replace('polling', 'websocket')),
      subprotocols: [],
    })
    if (answer?.accept !== true) throw new Error('refused')
    const listener = answer.open(probe.socket)
    listener.onText('2probe')
    expect(probe.sent).toEqual(['3probe'])
    const polled = rig.get(query)
    rig.clock.advance(100)
    expect(textOf(await polled)).toBe('6')
    rig.clock.advance(10_000)
    expect(probe.sent).toEqual(['3probe', 'close 1000'])
    say(rig.session.socket, 'still here')
    expect(textOf(await rig.get(query))).toBe('4still here')
  })
})

describe('anything at all', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(fc.constantFrom('0', '1', '2', '3', '4', '5', '6', 'b', '2probe', '\u001e'), fc.string()).map((parts) => parts.join('')),
  )

  it('[EC13] is read as packets or as none', () => {
    fc.assert(
      fc.property(anyText, fc.nat(20), (text, maxPackets) => {
        expect(readPacket(text)).toHaveProperty('kind')
        expect(readPayload(text, maxPackets).length).toBeGreaterThan(0)
      }),
    )
  })
  it('[EC14] posted, polled and asked gets an answer, and leaves no connection that nobody counts', async () => {
    const queries = fc.array(
      fc.tuple(fc.constantFrom('EIO', 'transport', 'sid', 't'), fc.constantFrom('', '3', '4', 'polling', 'websocket', 'x')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { maxLength: 5 }), queries, async (bodies, parameters) => {
        const rig = createRig()
        const query = await rig.open()
        for (const body of bodies) expect([200, 400]).toContain((await rig.post(body, query)).status)
        expect([200, 400]).toContain((await rig.post('4x', new URLSearchParams(parameters).toString())).status)
        rig.session.socket?.terminate()
        expect([rig.engine.count(), rig.clock.pendingTimers()]).toEqual([0, 0])
      }),
    )
  })
})

function createProbe(): { readonly socket: Socket; readonly sent: string[] } {
  const sent: string[] = []
  const socket: Socket = {
    isTwoWay: true,
    remoteAddress: '127.0.0.1',
    sendText: (utf8) => sent.push(new TextDecoder().decode(utf8)) * 0,
    sendBinary: () => 0,
    cork: (sends) => sends(),
    bufferedBytes: () => 0,
    ping: () => undefined,
    close: (code) => void sent.push(`close ${String(code)}`),
    terminate: () => void sent.push('terminate'),
  }
  return { socket, sent }
}
