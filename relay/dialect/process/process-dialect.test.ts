/** A relayed socket over real sessions, hub and service: what processes are told, what the client gets, and in which order. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readObject } from '#shared/protocol/socket-control'
import { createRelayedBench, type OpenedClient, type RelayedBench, type Told } from './testing/relayed-socket.ts'

const briefly = ({ to, topic, payload }: Told): unknown[] => [to, topic, readObject(payload)?.data ?? readObject(payload)?.reason]

async function openTo(name: string, control: object = {}): Promise<RelayedBench & OpenedClient> {
  const bench = createRelayedBench()
  for (const process of ['a', 'b', 'c']) bench.joinProcess(process)
  const opened = bench.open({ targetPid: `{peer|${name}}`, ...control })
  await bench.settle()
  return { ...bench, ...opened }
}

describe('what the process is told', () => {
  it('[WP10] join first, then each frame with who, type, data and metadata; bytes as base64', async () => {
    const { listener, take, address } = await openTo('a', { metadata: { user_id: 7 } })
    const pid = `{peer|${address.slice('peer/'.length)}}`
    expect(take()).toEqual([
      { to: 'a', from: address, topic: 'ws.join', payload: { client_pid: pid, metadata: { user_id: 7 } }, encoding: undefined },
    ])
    listener.onText('héllo')
    listener.onBinary(Uint8Array.of(0, 1, 255))
    const payloads = take().map(({ payload }) => payload)
    expect(payloads).toEqual([
      { client_pid: pid, type: 'text', data: 'héllo', metadata: { user_id: 7 } },
      { client_pid: pid, type: 'binary', data: 'AAH/', encoding: 'base64', metadata: { user_id: 7 } },
    ])
  })
  it('[WP11] without metadata the field is left out; the topic is the one asked for; raw is the bare text', async () => {
    const { listener, take, address } = await openTo('a', { messageTopic: 'chat.line', messageFormat: 'raw' })
    expect(take()[0]?.payload).toEqual({ client_pid: `{peer|${address.slice(5)}}` })
    listener.onText('x')
    listener.onBinary(Uint8Array.of(255))
    expect(take().map(({ topic, payload, encoding }) => [topic, payload, encoding])).toEqual([
      ['chat.line', 'x', undefined],
      ['chat.line', '/w==', 'base64'],
    ])
  })
  it('[WP12] heartbeats every 30 s unless asked otherwise, with uptime and the count of frames', async () => {
    const { listener, take, clock } = await openTo('a', { metadata: { m: 1 } })
    take()
    listener.onText('1')
    listener.onText('2')
    take()
    clock.advance(29_999)
    expect(take()).toEqual([])
    clock.advance(1)
    expect(take()[0]).toMatchObject({ topic: 'ws.heartbeat', payload: { uptime: '30s', message_count: 2, metadata: { m: 1 } } })
    listener.onPong()
    clock.advance(30_000)
    expect(take()[0]?.payload).toMatchObject({ uptime: '1m0s' })
  })
  it('[WP13] an interval of its own holds from the start, and may be changed', async () => {
    const { take, clock, hub, address, settle } = await openTo('a', { heartbeatMs: 1_500 })
    take()
    clock.advance(1_500)
    expect(take()[0]?.payload).toMatchObject({ uptime: '1.5s' })
    hub.send('peer/a', address, { topic: 'ws.control', payload: { heartbeat_interval: '10s' } })
    await settle()
    clock.advance(9_999)
    expect(take()).toEqual([])
    clock.advance(1)
    expect(take()).toHaveLength(1)
  })
  it.each([
    ['the client says goodbye', 1000, 'closed'],
    ['the connection breaks', 1006, 'connection lost'],
  ])('[WP14] leave when %s, and the timers stop', async (_what, code, reason) => {
    const { listener, take, clock, stop, address, hub } = await openTo('a', { metadata: { m: 1 } })
    take()
    listener.onClose(code)
    const pid = `{peer|${address.slice(5)}}`
    expect(take()).toMatchObject([{ to: 'a', from: address, topic: 'ws.leave', payload: { client_pid: pid, reason, metadata: { m: 1 } } }])
    clock.advance(120_000)
    expect(take()).toEqual([])
    stop()
    expect([clock.pendingTimers(), hub.measure().watches]).toEqual([0, 0])
  })
  it('[WP17] a thousand sockets that come, change hands and go leave nothing behind', async () => {
    const bench = createRelayedBench()
    for (const process of ['a', 'b']) bench.joinProcess(process)
    const before = bench.hub.measure()
    const timers = bench.clock.pendingTimers()
    for (let count = 0; count < 1_000; count += 1) {
      const { listener, address } = bench.open({ targetPid: '{peer|a}' })
      await Promise.resolve()
      bench.hub.send('peer/a', address, { topic: 'ws.control', payload: { target_pid: '{peer|b}' } })
      await Promise.resolve()
      listener.onClose(1000)
      bench.turn.end()
    }
    expect(bench.take().filter(({ topic }) => topic === 'ws.leave')).toHaveLength(2_000)
    expect({ ...bench.hub.measure(), historyMessages: 0, historyBytes: 0, topics: 0 }).toEqual({
      ...before,
      historyMessages: 0,
      historyBytes: 0,
      topics: 0,
    })
    expect(bench.clock.pendingTimers()).toBe(timers)
  })
  it('[WP15] a target that is not there closes the socket with 1000 and the reason clients know', async () => {
    const { socket, take } = await openTo('nobody')
    expect([socket.state, take()]).toEqual(['1000 Failed to monitor target PID', []])
  })
  it('[WP16] a frame over 32768 bytes: close 1009, and the process hears of the end', async () => {
    const { socket, listener, take, settle } = await openTo('a')
    take()
    listener.onText('x'.repeat(32_768))
    expect(take()).toHaveLength(1)
    listener.onText('x'.repeat(32_769))
    await settle()
    expect(socket.state).toMatch(/^1009 /)
    expect(take().map(({ topic }) => topic)).toEqual(['ws.leave'])
  })
})

describe('what the client gets', () => {
  async function tell(
    topic: string,
    payload: unknown,
  ): Promise<{
    readonly texts: readonly string[]
    readonly binary: readonly number[][]
    readonly state: string
    readonly told: readonly Told[]
  }> {
    const { hub, address, socket, settle, take } = await openTo('a')
    take()
    hub.send('peer/b', address, { topic, payload })
    await settle()
    return { texts: socket.sent, binary: socket.sentBinary.map((bytes) => [...bytes]), state: socket.state, told: take() }
  }
  it.each([
    ['text', { type: 'text', data: 'hé"' }, 'hé"'],
    ['text that is no text, as JSON', { type: 'text', data: { a: 1 } }, '{"a":1}'],
    ['text where no type is named', { data: 'x' }, 'x'],
  ])('[WP20] ws.send: %s', async (_what, payload, text) => {
    expect((await tell('ws.send', payload)).texts).toEqual([text])
  })
  it.each([
    ['base64', { type: 'binary', data: 'AAH/' }, [0, 1, 255]],
    ['base64, said so', { type: 'binary', data: '/w==', encoding: 'base64' }, [255]],
    ['text as UTF-8', { type: 'binary', data: 'é', encoding: 'utf8' }, [0xc3, 0xa9]],
    ['bytes of this process', { type: 'binary', data: Uint8Array.of(9) }, [9]],
    ['nothing', { type: 'binary', data: '' }, []],
  ])('[WP21] ws.send binary: %s', async (_what, payload, bytes) => {
    expect((await tell('ws.send', payload)).binary).toEqual([bytes])
  })
  it.each([
    ['an object', 'chat', { a: 1 }, '{"data":{"a":1},"topic":"chat"}'],
    ['a text', 'chat', 'x', '{"data":"x","topic":"chat"}'],
    ['nothing', 'chat', undefined, '{"data":null,"topic":"chat"}'],
    ['bytes', 'chat', Uint8Array.of(255), '{"data":"/w==","topic":"chat"}'],
    ['ws.send of another shape', 'ws.send', 'x', '{"data":"x","topic":"ws.send"}'],
  ])('[WP22] any other topic is one text frame, data first: %s', async (_what, topic, payload, text) => {
    expect((await tell(topic, payload)).texts).toEqual([text])
  })
  it.each([
    ['ws.send', { type: 'picture', data: 'x' }],
    ['ws.send', { type: 'binary', data: 'not base64!' }],
    ['ws.send', { type: 'binary', data: 7 }],
    ['ws.control', { target_pid: 7 }],
    ['ws.control', 'no json'],
    ['ws.control', { metadata: [] }],
    ['ws.control', { message_topic: '@events' }],
    ['ws.control', { target_pid: 'no pid' }],
  ])('[WP23] whoever tells %s %j is told what was wrong; the client notices nothing', async (topic, payload) => {
    const { texts, binary, state, told } = await tell(topic, payload)
    expect([texts, binary, state]).toEqual([[], [], 'open'])
    expect(told).toMatchObject([{ to: 'b', topic: 'ws.error', payload: { topic } }])
  })
  it('[WP24] what is no message between processes is refused likewise, and topics of the relay are nobody else’s', async () => {
    const { hub, address, socket, settle, take } = await openTo('a')
    take()
    for (const data of ['hello', { topic: '@events', payload: 1 }, { topic: 'ws.error', payload: 1 }, { topic: '' }])
      hub.send('peer/b', address, data)
    await settle()
    expect([socket.sent, take().map(({ topic }) => topic)]).toEqual([[], ['ws.error', 'ws.error']])
  })
  it.each([
    [{ code: 4001, reason: 'fin' }, '4001 fin'],
    [{ reason: 'fin' }, '1000 fin'],
    [{ code: 1000 }, '1000 Connection closed by server'],
    ['adiós', '1000 adiós'],
    ['', '1000 Connection closed by server'],
    [undefined, '1000 Connection closed by server'],
    [{ why: 1 }, '1000 {"why":1}'],
    [[1], '1000 [1]'],
    [{ code: 1006, reason: 'x' }, '1000 x'],
    ['é'.repeat(100), `1000 ${'é'.repeat(61)}`],
  ])('[WP25] ws.close %j closes with %s, and the process hears the reason', async (payload, state) => {
    const told = await tell('ws.close', payload)
    expect(told.state).toBe(state)
    expect(told.told.filter(({ to }) => to === 'a')).toMatchObject([{ topic: 'ws.leave', payload: { reason: state.slice(5) } }])
  })
  it('[WP26] the end of the target closes the socket with 1000 and the reason clients know; the end of another does not', async () => {
    const { hub, socket, settle } = await openTo('a')
    hub.leave('peer/b', { reason: 'x', isAbnormal: true })
    await settle()
    expect(socket.state).toBe('open')
    hub.leave('peer/a')
    await settle()
    expect(socket.state).toBe('1000 target process exited')
  })
  it('[WP28] what comes behind a close in the same turn is not sent; what came before is', async () => {
    const { hub, address, socket, settle } = await openTo('a')
    const tell = (topic: string, payload: unknown): void => void hub.send('peer/a', address, { topic, payload })
    tell('ws.send', { type: 'text', data: 'before' })
    tell('ws.close', 'done')
    tell('ws.send', { type: 'text', data: 'behind' })
    await settle()
    expect([socket.sent, socket.state]).toEqual([['before'], '1000 done'])
  })
  it('[WP29] whatever it is told, nothing throws, and the socket takes the next message', async () => {
    const topic = fc.oneof(fc.constantFrom('ws.send', 'ws.control', 'ws.error', '@events', 'x'), fc.string())
    const data = fc.oneof(
      fc.json().map((text): unknown => JSON.parse(text)),
      fc.record({ topic, payload: fc.oneof(fc.anything({ withBigInt: true, withTypedArray: true }), fc.jsonValue()) }),
    )
    await fc.assert(
      fc.asyncProperty(data, async (told) => {
        const { hub, address, socket, settle } = await openTo('a')
        hub.send('peer/b', address, told)
        hub.send('peer/b', address, { topic: 'ws.send', payload: { type: 'text', data: 'next' } })
        await settle()
        expect(socket.state === 'open' ? socket.sent.at(-1) : socket.state).toMatch(/^(next|1000 Failed to monitor new target PID)$/)
      }),
      { numRuns: 300 },
    )
  })
  it('[WP27] requests are answered, with a no', async () => {
    const { hub, address, settle } = await openTo('a')
    const outcomes: unknown[] = []
    hub.join({ address: 'peer/asker', receive: (event) => void outcomes.push(event) })
    const by = { subject: 's', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 1e15 }
    hub.request({ id: '1', from: 'peer/asker', by, to: address, method: 'm', data: 1, deadlineMs: 100 })
    await settle()
    expect(outcomes).toMatchObject([{ kind: 'requestEnded', outcome: { kind: 'refused' } }])
  })
})

describe('changing hands', () => {
  it('[WP30] leave to the old process with its metadata, join to the new one with the new; then messages go there', async () => {
    const { hub, address, listener, take, settle } = await openTo('a', { metadata: { m: 1 } })
    take()
    listener.onText('1')
    hub.send('peer/c', address, { topic: 'ws.control', payload: { target_pid: '{peer|b}', message_topic: 't', metadata: { m: 2 } } })
    await settle()
    listener.onText('2')
    expect(take().map(({ to, topic, payload }) => [to, topic, readObject(payload)?.metadata])).toEqual([
      ['a', 'ws.message', { m: 1 }],
      ['a', 'ws.leave', { m: 1 }],
      ['b', 'ws.join', { m: 2 }],
      ['b', 't', { m: 2 }],
    ])
  })
  it('[WP31] the same process again: no leave, no join, the other fields hold; JSON text is read as well', async () => {
    const { hub, address, listener, take, settle } = await openTo('a')
    take()
    hub.send('peer/a', address, { topic: 'ws.control', payload: JSON.stringify({ target_pid: '{node@peer|x|a}', message_topic: 't' }) })
    await settle()
    listener.onText('1')
    expect(take().map(briefly)).toEqual([['a', 't', '1']])
  })
  it('[WP32] fields beside a PID that is none still hold', async () => {
    const { hub, address, listener, take, settle } = await openTo('a')
    take()
    hub.send('peer/b', address, { topic: 'ws.control', payload: { target_pid: 'a', message_topic: 't' } })
    await settle()
    listener.onText('1')
    expect(take().map(briefly)).toEqual([
      ['b', 'ws.error', undefined],
      ['a', 't', '1'],
    ])
  })
  it('[WP33] to a process that is not there: close 1000 with the reason clients know, and leave to the old one', async () => {
    const { hub, address, socket, take, settle } = await openTo('a')
    take()
    hub.send('peer/a', address, { topic: 'ws.control', payload: { target_pid: '{peer|nobody}' } })
    await settle()
    expect(socket.state).toBe('1000 Failed to monitor new target PID')
    expect(take().map(({ to, topic }) => [to, topic])).toEqual([['a', 'ws.leave']])
  })
  it('[WP34] a process that hands over and ends at once does not take the socket with it', async () => {
    const { hub, address, socket, take, settle } = await openTo('a')
    take()
    hub.send('peer/a', address, { topic: 'ws.control', payload: { target_pid: '{peer|b}' } })
    hub.leave('peer/a')
    await settle()
    expect([socket.state, take().map(briefly)]).toEqual(['open', [['b', 'ws.join', undefined]]])
  })
  it('[WP35] by the name of a process, too', async () => {
    const { hub, address, take, settle } = await openTo('a')
    const by = { subject: 's', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 1e15 }
    hub.request({ id: '1', from: 'peer/c', by, to: 'processes', method: 'register', data: { name: 'chat' }, deadlineMs: 100 })
    await settle()
    take()
    hub.send('peer/a', address, { topic: 'ws.control', payload: { target_pid: '{name|chat}' } })
    await settle()
    expect(take().map(briefly)).toEqual([
      ['a', 'ws.leave', 'transferred to another process'],
      ['c', 'ws.join', undefined],
    ])
  })

  type Step =
    | { readonly kind: 'frame' | 'wait' }
    | { readonly kind: 'hand'; readonly by: string; readonly to: string }
    | { readonly kind: 'say'; readonly text: string }
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'frame' } as const) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('hand' as const), by: fc.constantFrom('a', 'b', 'c'), to: fc.constantFrom('a', 'b', 'c') }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('say' as const), text: fc.string({ maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'wait' } as const) },
  )
  it('[WP36] however frames and changes of hands fall together: each frame reaches one process, once, in order, between its join and its leave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { hub, address, listener, socket, take, settle } = await openTo('a')
        let frames = 0
        const texts: string[] = []
        for (const now of steps) {
          if (now.kind === 'frame') listener.onText(String((frames += 1)))
          else if (now.kind === 'hand')
            hub.send(`peer/${now.by}`, address, { topic: 'ws.control', payload: { target_pid: `{peer|${now.to}}` } })
          else if (now.kind === 'say') {
            texts.push(now.text)
            hub.send('peer/a', address, { topic: 'ws.send', payload: { type: 'text', data: now.text } })
          } else await Promise.resolve()
        }
        await settle()
        let owner: string | undefined
        let next = 1
        for (const { to, topic, payload } of take()) {
          if (topic === 'ws.join') {
            expect(owner).toBeUndefined()
            owner = to
          } else {
            expect(to).toBe(owner)
            if (topic === 'ws.leave') owner = undefined
            else expect(readObject(payload)?.data).toBe(String(next++))
          }
        }
        expect([next - 1, socket.state, socket.sent]).toEqual([frames, 'open', texts])
      }),
      { numRuns: 300 },
    )
  })
})
