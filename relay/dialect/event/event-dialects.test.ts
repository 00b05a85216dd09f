/** What the dialects make of anything at all, and of an assistant that speaks: without a wire, with a relay that a test plays. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLIENT_MESSAGE_GUARDS } from '#shared/generated/guards'
import { ERRORS } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessage } from '#shared/protocol/messages'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createSystemRandom } from '../../ops/system-random.ts'
import type { Conversation, Dialect, Frame, Publication, SessionEnd, UpgradeRequest } from '../../ports.ts'
import { createEventSystem, type EventSystem } from './event-system.ts'
import { createSocketIoReader, writeSocketIoPacket } from './socket-io-packet.ts'

interface Stage {
  readonly dialect: Dialect
  readonly conversation: Conversation
  /** Text frames as they are, bytes as `<size>`. */
  readonly sent: string[]
  readonly said: ClientMessage[]
  readonly blamed: { readonly code: string; readonly id: string | undefined }[]
  readonly ends: SessionEnd[]
  read(...frames: readonly (string | Uint8Array)[]): void
  hear(message: RelayMessage): void
}

const REQUEST: UpgradeRequest = {
  path: '/',
  query: new URLSearchParams('token=0123456789'),
  headers: new Map(),
  subprotocols: [],
  remoteAddress: '127.0.0.1',
}
const WELCOME: RelayMessage = {
  ...{ type: 'welcome', version: 1, peer: 'peer/a', roles: ['station'], server: 's', time: 1, epoch: 'e', expiresAt: 2, pingIntervalMs: 3 },
  limits: { frameBytes: 1, subscriptions: 1, pendingRequests: 1 },
}
const PUBLICATION: Publication = {
  ...{ kind: 'publication', topic: 'app/x', delivery: 'queued', epoch: 'e', seq: 1, time: 2, json: '{"text":"señal"}' },
}

function createSystem(): EventSystem {
  return createEventSystem({
    clock: createFakeClock(),
    random: createSystemRandom(),
    findToken: (query) => query.get('token') ?? undefined,
    anonymousPrefixes: ['anonymous-'],
    countConnections: () => 3,
    transportOf: () => undefined,
  })
}

function createStage(kind: 'native' | 'socketIo', { subject = 'anonymous-a', system = createSystem() } = {}): Stage {
  const route = kind === 'native' ? system.system.rootSocket : system.socketIo
  const made = route.createDialect(REQUEST)
  if (!made.ok) throw new Error(made.failure.message)
  const dialect = made.value
  const stage: Stage = {
    ...{ dialect, sent: [], said: [], blamed: [], ends: [] },
    conversation: {
      address: 'peer/a',
      identity: { subject, roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 0 },
      remoteAddress: '127.0.0.1',
      say: (message) => void stage.said.push(message),
      send: (frame) => void stage.sent.push(textOf(frame)),
      blame({ code, ...rest }, id) {
        stage.blamed.push({ code, id })
        stage.hear({ type: 'error', ...(id === undefined ? {} : { id }), error: { code, ...rest, retry: ERRORS[code].retry } })
      },
      countMistake: () => undefined,
      end: (end) => void stage.ends.push(end),
    },
    read(...frames) {
      for (const frame of frames) dialect.read(frame, stage.conversation)
    },
    hear: (message) => dialect.write(message, stage.conversation),
  }
  return stage
}

/** Welcomed, with what was sent for it forgotten. */
function openStage(kind: 'native' | 'socketIo'): Stage {
  const stage = createStage(kind)
  if (kind === 'socketIo') stage.read('0')
  stage.hear(WELCOME)
  stage.sent.length = 0
  stage.said.length = 0
  return stage
}

function textOf(frame: Frame | undefined): string {
  if (frame === undefined) return ''
  return frame instanceof Uint8Array ? new TextDecoder('utf-8', { fatal: true }).decode(frame) : `<${String(frame.binary.byteLength)}>`
}

const ANY_FRAME = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
  fc.json().map((json) => `{"event":"echo","data":${json}}`),
  fc
    .tuple(fc.constantFrom('subscribe', 'publish', 'request', 'ai:chat', 'echo'), fc.json())
    .map(([event, json]) => `{"event":"${event}","data":${json}}`),
  fc
    .tuple(fc.constantFrom('0', '1', '2', '3', '4', '51-', '52-', '61-', '2/socket.io/,', '27'), fc.json())
    .map(([head, json]) => `${head}${json}`),
  fc
    .tuple(fc.constantFrom('2', '27', '51-', '52-9'), fc.constantFrom('echo', 'publish', 'request', 'ai:chat', 'ping'), fc.json())
    .map(([head, event, json]) => `${head}["${event}",${json}]`),
)

describe('event dialects', () => {
  it.each(['native', 'socketIo'] as const)(
    '[ED1] %s: has an answer for any frames, says nothing but messages of the catalog, and sends well-formed text',
    (kind) => {
      fc.assert(
        fc.property(fc.array(ANY_FRAME, { maxLength: 8 }), fc.boolean(), (frames, isOpen) => {
          const stage = isOpen ? openStage(kind) : createStage(kind)
          stage.read(...frames)
          for (const message of stage.said) expect(CLIENT_MESSAGE_GUARDS[message.type](message)).toBe(true)
          for (const { code } of stage.blamed) expect(ERRORS).toHaveProperty([code])
          for (const text of stage.sent) expect(text.isWellFormed()).toBe(true)
        }),
        { numRuns: 500 },
      )
    },
  )
  it('[ED2] the packet reader is total, and reads what it wrote', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.stringMatching(/^[0-6]\d{0,3}-?\/?[a-z]*,?\d*[[{"].*$/)), {
          maxLength: 6,
        }),
        (frames) => {
          const reader = createSocketIoReader(1_000)
          for (const frame of frames) reader.read(frame)
        },
      ),
    )
    const data = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('__proto__'))
    fc.assert(
      fc.property(data, fc.nat(), (value, ackId) => {
        const [frame] = writeSocketIoPacket('event', { namespace: '/', payload: ['name', value], ackId })
        const packet = createSocketIoReader(1_000).read(textOf(frame))
        expect(packet).toMatchObject({ kind: 'event', name: 'name', data: JSON.parse(JSON.stringify(value)), ackId })
      }),
    )
  })
  it('[ED3] refuses more bytes beside one packet than a frame may have', () => {
    const reader = createSocketIoReader(10)
    expect(reader.read('52-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')).toEqual({ kind: 'incomplete' })
    expect(reader.read(new Uint8Array(6))).toEqual({ kind: 'incomplete' })
    expect(reader.read(new Uint8Array(6))).toEqual({ kind: 'malformed' })
  })
  it.each(['native', 'socketIo'] as const)('[ED4] %s: encodes a publication once for all connections', (kind) => {
    const system = createSystem()
    const stages = [createStage(kind, { system }), createStage(kind, { system })]
    for (const stage of stages) {
      if (kind === 'socketIo') stage.read('0')
      stage.hear(WELCOME)
    }
    const [one, other] = stages.map(({ dialect }) => dialect.encodePublication(PUBLICATION, false))
    expect(one).toBe(other)
    const members = '{"topic":"app/x","epoch":"e","seq":1,"time":2,"data":{"text":"señal"}}'
    expect(textOf(one)).toBe(kind === 'native' ? `{"event":"message","data":${members}}` : `2["message",${members}]`)
    expect(textOf(stages[0]?.dialect.encodePublication(PUBLICATION, true))).toContain('"isRetained":true')
  })
  it('[ED5] tells who is logged in, and never shows a token', () => {
    const stage = createStage('native', { subject: 'user-7' })
    stage.hear(WELCOME)
    stage.read('{"event":"status"}', '{"event":"info"}')
    expect(stage.sent[0]).toContain('"isLoggedIn":true')
    expect(stage.sent[1]).toContain('"sessionToken":"***6789","userId":"user-7","isLoggedIn":true')
    expect(stage.sent[2]).toContain('"session":{"authenticated":true,"userId":"user-7","sessionToken":"***6789"}')
    expect(stage.sent.join(' ')).not.toContain('0123456789')
  })
  it('[ED6] shows the new token once it counts', () => {
    const stage = openStage('native')
    stage.read('{"event":"refresh","data":{"token":"abcdefgh"}}', '{"event":"status"}')
    expect(stage.said).toEqual([{ type: 'refresh', token: 'abcdefgh' }])
    stage.hear({ type: 'refreshed', roles: [], expiresAt: 1 })
    stage.read('{"event":"status"}')
    expect(stage.sent.map((text) => /\*\*\*(\w+)/.exec(text)?.[1])).toEqual(['6789', undefined, 'efgh'])
  })
  it('[ED7] forgets the acknowledgement that waits longest when more wait than may', () => {
    const stage = openStage('socketIo')
    for (let id = 0; id <= 256; id += 1) stage.read(`2${String(id)}["send",{"to":"peer/b","data":1}]`)
    stage.hear({ type: 'sent', id: 'ack-1', to: 'peer/b' })
    stage.hear({ type: 'sent', id: 'ack-257', to: 'peer/b' })
    expect(stage.sent).toEqual(['2["sent",{"id":"ack-1","to":"peer/b"}]', '3256[{"to":"peer/b"}]'])
  })
})

describe('what is not read because too much came', () => {
  it.each([
    ['native', '{"event":"publish","data":{"id":"mine"}}', 'mine'],
    ['native', '{"event":"publish","data":{"id":7}}', undefined],
    ['native', 'nonsense', undefined],
    ['socketIo', '2["publish",{"id":"mine"}]', 'mine'],
    ['socketIo', '27["publish",{"id":""}]', undefined],
    ['socketIo', 'nonsense', undefined],
  ] as const)('[ED8] %s: %s still gives its id', (kind, text, id) => {
    expect(openStage(kind).dialect.findId?.(text)).toBe(id)
  })
})

describe('ai:chat', () => {
  const direct = (data: unknown): RelayMessage => ({ type: 'direct', from: 'assistant', time: 1, data })
  const chat = '{"event":"ai:chat","data":{"message":"Hello","conversationHistory":[{"role":"user","content":"x"}],"locale":"en"}}'

  it('[AC1] asks the assistant, and passes on what it says as it says it', () => {
    const stage = openStage('native')
    stage.read(chat)
    const [question] = stage.said
    const data = { message: 'Hello', conversationHistory: [{ role: 'user', content: 'x' }], locale: 'en' }
    expect(question).toEqual({ type: 'request', id: expect.any(String), to: 'assistant', method: 'chat', data })
    const id = question?.type === 'request' ? question.id : ''
    stage.hear(direct({ kind: 'start', messageId: 'ai-1' }))
    stage.hear({ type: 'replied', id, from: 'assistant', data: { messageId: 'ai-1' } })
    stage.hear(direct({ kind: 'chunk', messageId: 'ai-1', chunk: 'Hel' }))
    stage.hear(direct({ kind: 'chunk', messageId: 'ai-1', chunk: 'lo' }))
    stage.hear(direct({ kind: 'complete', messageId: 'ai-1', fullResponse: 'Hello' }))
    expect(stage.sent.map((text) => JSON.parse(text))).toEqual([
      { event: 'ai:response:start', data: { messageId: 'ai-1' } },
      { event: 'ai:response:chunk', data: { messageId: 'ai-1', chunk: 'Hel' } },
      { event: 'ai:response:chunk', data: { messageId: 'ai-1', chunk: 'lo' } },
      { event: 'ai:response:complete', data: { messageId: 'ai-1', fullResponse: 'Hello' } },
    ])
  })
  it('[AC2] says a failure as one, before the start or after it', () => {
    const stage = openStage('socketIo')
    stage.read('2["ai:chat",{"message":"Hello"}]', '2["ai:chat",{"message":"Hello"}]')
    const ids = stage.said.map((message) => (message.type === 'request' ? message.id : ''))
    stage.hear({ type: 'error', id: ids[0] ?? '', error: { code: 'assistant.unavailable', message: 'No server.', retry: 'later' } })
    stage.hear(direct({ kind: 'start', messageId: 'ai-1' }))
    stage.hear({ type: 'replied', id: ids[1] ?? '', from: 'assistant', data: { messageId: 'ai-1' } })
    stage.hear(direct({ kind: 'error', messageId: 'ai-1', error: 'It stopped.', code: 'assistant.failed' }))
    expect(stage.sent).toEqual([
      '2["ai:response:error",{"error":"No server.","code":"assistant.unavailable"}]',
      '2["ai:response:start",{"messageId":"ai-1"}]',
      '2["ai:response:error",{"messageId":"ai-1","error":"It stopped.","code":"assistant.failed"}]',
    ])
  })
  it('[AC3] leaves the messages of other peers what they are', () => {
    const stage = openStage('native')
    stage.hear({ type: 'direct', from: 'peer/b', time: 1, data: { kind: 'chunk', chunk: 'x' } })
    expect(stage.sent).toEqual(['{"event":"direct","data":{"from":"peer/b","time":1,"data":{"kind":"chunk","chunk":"x"}}}'])
  })
})
