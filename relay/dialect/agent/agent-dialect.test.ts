import { anything, assert, constantFrom, object, oneof, property, record, string, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClientMessage, RelayMessage } from '#shared/protocol/messages'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Conversation, Frame, Publication } from '../../ports.ts'
import { createAgentDialect } from './agent-dialect.ts'
import { QUESTIONS } from './agent-questions.ts'

/** A dialect, what it said to the relay and what it sent to its client. */
function open(own?: string) {
  const said: ClientMessage[] = []
  const sent: unknown[] = []
  let mistakes = 0
  const conversation: Conversation = {
    address: 'peer/1',
    identity: { subject: 's', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 0 },
    remoteAddress: '127.0.0.1',
    say: (message) => void said.push(message),
    send: (frame) => void sent.push(decode(frame)),
    blame: () => undefined,
    countMistake: () => void (mistakes += 1),
    end: () => undefined,
  }
  const dialect = createAgentDialect({ agent: own === undefined ? undefined : { id: own, level: own }, random: createSeededRandom(1) })
  return {
    said,
    sent,
    mistakes: () => mistakes,
    /** Answers what waits, so that the next message is read. */
    answer: () => {
      const last = said.findLast(({ type }) => type === 'request')
      if (last?.type === 'request') dialect.write({ type: 'replied', id: last.id, from: 'agents', data: {} }, conversation)
    },
    read: (frame: unknown) =>
      dialect.read(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame), conversation),
    write: (message: RelayMessage) => dialect.write(message, conversation),
    encode: (publication: Pick<Publication, 'topic' | 'json'> & { readonly seq?: number }) => {
      const frame = dialect.encodePublication(
        { kind: 'publication', delivery: 'queued', epoch: 'e', seq: 1, time: 0, ...publication },
        false,
      )
      return frame === undefined ? undefined : decode(frame)
    },
  }
}

function decode(frame: Frame): unknown {
  if (!(frame instanceof Uint8Array)) return [...frame.binary]
  const text = new TextDecoder().decode(frame)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const published = (seq: number): RelayMessage => ({ type: 'published', id: 'x', topic: 'agent/a/message', epoch: 'e', seq })

describe('agent dialect', () => {
  it('[ZD1] subscribes to the agent of its URL once welcomed, to others when they are named, to each once', () => {
    const { said, write, read, answer } = open('a')
    write({
      type: 'welcome',
      version: 1,
      peer: 'p',
      roles: [],
      server: 's',
      time: 0,
      epoch: 'e',
      expiresAt: 0,
      pingIntervalMs: 1,
      limits: { frameBytes: 1, subscriptions: 1, pendingRequests: 1 },
    })
    read({ type: 'start_agent', data: {} })
    answer()
    read({ type: 'start_agent', data: { agent_id: 'b' } })
    answer()
    read({ type: 'stop_agent', agentId: 'b' })
    expect(said.filter(({ type }) => type === 'subscribe')).toEqual([
      { type: 'subscribe', topic: 'agent/a/+' },
      { type: 'subscribe', topic: 'agent/b/+' },
    ])
    expect(said.filter(({ type }) => type === 'request')).toMatchObject([
      { to: 'agents', method: 'agent.start', data: { agent: 'a' } },
      { method: 'agent.start', data: { agent: 'b' } },
      { method: 'agent.stop', data: { agent: 'b' } },
    ])
  })
  it('[ZD2] forgets the agent named longest ago when it hears too many', () => {
    const { said, read, answer } = open()
    for (const agent of [...Array.from({ length: 25 }, (_, index) => index), 1, 25]) {
      read({ type: 'start_agent', data: { agent_id: String(agent) } })
      answer()
    }
    expect(said.filter(({ type }) => type === 'unsubscribe')).toEqual([
      { type: 'unsubscribe', topic: 'agent/0/+' },
      { type: 'unsubscribe', topic: 'agent/2/+' },
    ])
  })
  it('[ZD3] does not hear itself, neither at once nor from the history after it lagged', () => {
    const { read, write, encode } = open('a')
    read(Uint8Array.of(1))
    write(published(7))
    expect(encode({ topic: 'agent/a/message', json: '{"base64":"AQ=="}', seq: 7 })).toBeUndefined()
    expect(encode({ topic: 'agent/a/message', json: '{"base64":"AQ=="}', seq: 8 })).toEqual([1])
    for (let seq = 100; seq < 356; seq += 1) write(published(seq))
    expect(encode({ topic: 'agent/a/message', json: '1', seq: 7 })).toBe(1)
  })
  it('[ZD4] says which messages are lost', () => {
    const { write, sent } = open('a')
    write({ type: 'gap', topic: 'agent/a/message', epoch: 'e', from: 3, to: 5 })
    expect(sent).toEqual([{ type: 'log', data: { agent_id: 'a', level: 'warning', message: expect.stringContaining('3 messages') } }])
  })
  it('[ZD5] takes the end of an execution from the service only; what others tell is passed on as it is', () => {
    const { write, sent } = open('a')
    const data = { kind: 'executed', agent: 'a', results: [1, 2], logs: [] }
    write({ type: 'direct', from: 'peer/2', time: 0, data })
    write({ type: 'direct', from: 'agents', time: 0, data })
    write({ type: 'direct', from: 'agents', time: 0, data: { kind: 'failed', agent: 'a', error: 'no', code: 'rate.limited' } })
    expect(sent).toMatchObject([
      data,
      { type: 'execute_response', data: { status: 'success', results: [1, 2] } },
      { type: 'log', data: { message: 'Ejecución completada: 2 acciones realizadas' } },
      { type: 'execute_response', data: { status: 'error', agent_id: 'a', message: 'no', code: 'rate.limited', logs: [] } },
    ])
  })
  it('[ZD6] answers requests of other peers, and errors that belong to no message', () => {
    const { write, said, sent } = open('a')
    write({ type: 'requested', id: '9', from: 'peer/2', method: 'x', deadlineMs: 1 })
    expect(said).toEqual([{ type: 'reply', id: '9', error: expect.any(String) }])
    write({ type: 'error', error: { code: 'frame.too_large', message: 'Too large.', retry: 'never' } })
    expect(sent).toEqual([{ type: 'error', data: { message: 'Too large.', logs: [], code: 'frame.too_large' } }])
  })
  it.each([
    ['agent/a/event', '{"event":"started"}', { type: 'agent_started', data: { agent_id: 'a' } }],
    ['agent/a.201/event', '{"event":"removed"}', { type: 'agent_removed', data: { agent_id: 'a 1' } }],
    [
      'agent/a/event',
      '{"event":"log","level":"error","message":"m"}',
      { type: 'log', data: { agent_id: 'a', level: 'error', message: 'm' } },
    ],
    ['agent/a/event', '{"event":"executed","results":[]}', undefined],
    ['agent/a/event', '{"event":"created"}', undefined],
    ['agent/a/message', '{"text":"hola"}', 'hola'],
    ['agent/a/message', '{"base64":"AAE="}', [0, 1]],
    ['agent/a/message', '{"text":"hola","more":1}', { text: 'hola', more: 1 }],
    ['agent/a/message', '{"base64":7}', { base64: 7 }],
    ['agent/a/message', 'null', null],
    ['agent/a.2e1/message', '1', undefined],
    ['emotion/a', '{}', undefined],
  ])('[ZD7] says %s %s', (topic, json, frame) => {
    expect(open('a').encode({ topic, json })).toEqual(frame)
  })
  it('[ZD8] what cannot be understood counts as a mistake, what the service refuses does not', () => {
    const { read, mistakes, write, sent } = open('a')
    for (const frame of [
      '{',
      '7',
      { type: 'shout' },
      { type: 'create_agent' },
      { type: 'start_agent', data: { agent_id: 'x'.repeat(65) } },
    ])
      read(frame)
    expect(mistakes()).toBe(5)
    read({ type: 'start_agent' })
    write({ type: 'error', id: 'agent-1', error: { code: 'agent.unknown', message: 'Agent a not found', retry: 'never' } })
    expect(sent.at(-1)).toEqual({ type: 'error', data: { message: 'Agent a not found', logs: [], code: 'agent.unknown' } })
    expect(mistakes()).toBe(5)
  })
  it('[ZD10] reads one message after the other: a later one may mean what an earlier one creates', () => {
    const { read, write, said, sent } = open()
    read({ type: 'create_agent', data: { contractId: 'c', agentId: 'b' } })
    read({ type: 'create_function', data: { function_name: 'f', function_signature: 'f()', function_type: 'read' } })
    read('{')
    read(Uint8Array.of(1))
    const requests = () => said.filter(({ type }) => type === 'request')
    expect(requests()).toHaveLength(1)
    expect(sent).toEqual([])
    write({ type: 'replied', id: 'agent-1', from: 'agents', data: { isNew: true } })
    expect(requests().at(-1)).toMatchObject({ method: 'document.put', data: { agent: 'b', kind: 'function' } })
    expect(sent).toHaveLength(1)
    write({ type: 'error', id: 'agent-2', error: { code: 'agent.too_many', message: 'Full.', retry: 'later' } })
    expect(sent.slice(1)).toMatchObject([
      { type: 'error', data: { message: 'Full.' } },
      { type: 'error', data: { message: 'Invalid JSON message' } },
    ])
    expect(said.at(-1)).toMatchObject({ type: 'publish', topic: 'agent/b/message' })
  })
  it('[ZD11] bounds what waits, and says so', () => {
    const { read, sent } = open('a')
    for (let message = 0; message < 1_026; message += 1) read({ type: 'start_agent' })
    expect(sent).toEqual([{ type: 'error', data: { message: expect.any(String), logs: [], code: 'rate.limited' } }])
  })
  it('[ZD9] whatever comes, nothing throws, and each frame is asked, told or answered', () => {
    const types = [...QUESTIONS.keys(), 'x']
    const message = record(
      { type: oneof(constantFrom(...types), anything()), data: oneof(object(), anything()), agent_id: anything() },
      { requiredKeys: [] },
    )
    const frame = oneof(
      string(),
      uint8Array(),
      message.map((value) => JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))),
    )
    assert(
      property(frame, constantFrom('a', undefined), (value, own) => {
        const { read, said, sent } = open(own)
        read(value)
        expect(said.filter(({ type }) => type !== 'subscribe').length + sent.length).toBe(1)
      }),
      { numRuns: 500 },
    )
  })
})
