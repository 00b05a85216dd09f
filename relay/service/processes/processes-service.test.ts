/** The service of processes over the real hub: names, programs, messages, and what processes are told of each other's ends. */
import { describe, expect, it } from 'vitest'
import { succeed, fail } from '#shared/protocol/errors'
import { readObject } from '#shared/protocol/socket-control'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createTestHub, SOMEBODY, type TestHub } from '../../hub/testing/test-hub.ts'
import type { PeerEvent, PeerExit } from '../../ports.ts'
import { UNATTENDED_MS } from './attendance.ts'
import { runEcho } from './echo-program.ts'
import { NAME_LIMITS } from './process-names.ts'
import type { ProcessProgram } from './process-program.ts'
import { startProcesses, type ProcessesService } from './processes-service.ts'
import { runRoom } from './room-program.ts'
import { SPAWN_LIMITS } from './spawned-processes.ts'

const FAILED: PeerExit = { reason: 'boom', isAbnormal: true }

interface Bench extends TestHub {
  readonly processes: ProcessesService
  /** @returns the reply's data, or the error's code. */
  ask(from: string, method: string, data?: unknown): Promise<unknown>
  /** A process that keeps what it is told. */
  open(name: string): PeerEvent[]
  settle(): Promise<void>
}

function createBench(programs: Readonly<Record<string, ProcessProgram>> = { echo: runEcho, room: runRoom }): Bench {
  const test = createTestHub({ limits: { peers: 4_096, pendingRequestsPerPeer: 16 } })
  const { hub, clock, turn } = test
  const answers = new Map<string, (answer: unknown) => void>()
  const policy = {
    check: (_identity: unknown, _action: unknown, target: string) =>
      target === 'peer/forbidden' ? fail('auth.forbidden', 'No.') : succeed(undefined),
  }
  const started = startProcesses({
    ...{ hub, policy, clock, turn, random: createSeededRandom(3), log: createKeptLog() },
    programs: new Map(Object.entries(programs)),
  })
  if (!started.ok) throw new Error(started.failure.message)
  let count = 0
  async function settle(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      turn.end()
    }
  }
  return {
    ...test,
    processes: started.value,
    settle,
    open(name) {
      const events: PeerEvent[] = []
      const joined = hub.join({
        address: `peer/${name}`,
        receive(event) {
          if (event.kind === 'requestEnded')
            answers.get(event.id)?.(
              event.outcome.kind === 'replied' ? event.outcome.data : event.outcome.kind === 'failed' ? event.outcome.failure.code : event,
            )
          else events.push(event)
        },
      })
      if (!joined.ok) throw new Error(joined.failure.message)
      return events
    },
    async ask(from, method, data) {
      const id = String((count += 1))
      const answered = new Promise((resolve) => answers.set(id, resolve))
      hub.request({ id, from: `peer/${from}`, by: SOMEBODY, to: 'processes', method, data, deadlineMs: 1_000 })
      await settle()
      return answered
    },
  }
}

function messagesOf(events: PeerEvent[]): unknown[] {
  return events.splice(0).flatMap((event) => (event.kind === 'direct' ? [event.data] : []))
}
const addressIn = (answer: unknown): string => String(readObject(answer)?.address)
const pidIn = (answer: unknown): string => String(readObject(answer)?.pid)

describe('names', () => {
  it('[WP70] a process registers, is found, gives its PID; another is told the name is taken', async () => {
    const { ask, open, processes } = createBench()
    for (const name of ['a', 'b']) open(name)
    expect(await ask('a', 'register', { name: 'chat' })).toEqual({ name: 'chat', pid: '{peer|a}' })
    expect(await ask('a', 'register', { name: 'chat' })).toEqual({ name: 'chat', pid: '{peer|a}' })
    expect(await ask('b', 'register', { name: 'chat' })).toBe('process.name_taken')
    expect(await ask('b', 'lookup', { name: 'chat' })).toEqual({ name: 'chat', pid: '{peer|a}', address: 'peer/a' })
    expect(await ask('b', 'list')).toEqual({ names: [{ name: 'chat', pid: '{peer|a}' }], processes: [], programs: ['echo', 'room'] })
    expect(processes.resolve('{name|chat}')).toEqual({ ok: true, value: 'peer/a' })
  })
  it('[WP71] the name is free when its holder has left, or gives it up; only the holder can', async () => {
    const { ask, open, hub } = createBench()
    for (const name of ['a', 'b']) open(name)
    await ask('a', 'register', { name: 'chat' })
    expect(await ask('b', 'unregister', { name: 'chat' })).toBe('process.unknown')
    expect(await ask('a', 'unregister', { name: 'chat' })).toEqual({ name: 'chat' })
    expect(await ask('b', 'lookup', { name: 'chat' })).toBe('process.unknown')
    await ask('a', 'register', { name: 'chat' })
    hub.leave('peer/a')
    expect(await ask('b', 'register', { name: 'chat' })).toMatchObject({ pid: '{peer|b}' })
  })
  it.each([undefined, null, 7, {}, { name: 7 }, { name: '' }, { name: 'a b' }, { name: 'x'.repeat(65) }])(
    '[WP72] %j is no name',
    async (data) => {
      const { ask, open } = createBench()
      open('a')
      expect(await ask('a', 'register', data)).toBe('frame.invalid_fields')
      expect(await ask('a', 'lookup', data)).toBe('process.unknown')
    },
  )
  it('[WP73] names of one process are bounded, and watching its end leaves nothing behind', async () => {
    const { ask, open, hub } = createBench()
    open('a')
    for (let count = 0; count < NAME_LIMITS.namesPerProcess; count += 1) await ask('a', 'register', { name: `n${String(count)}` })
    expect(await ask('a', 'register', { name: 'more' })).toBe('rate.limited')
    expect(hub.measure().watches).toBe(1)
    hub.leave('peer/a')
    expect(hub.measure().watches).toBe(0)
  })
})

describe('programs inside the relay', () => {
  it('[WP74] echo gives text and bytes back to who sent them', async () => {
    const { ask, open, hub, settle } = createBench()
    const events = open('a')
    const address = addressIn(await ask('a', 'spawn', { name: 'echo' }))
    for (const payload of [
      { client_pid: '{peer|a}', type: 'text', data: 'x' },
      { type: 'binary', data: 'AA==', encoding: 'base64' },
    ]) {
      hub.send('peer/a', address, { topic: 'ws.message', payload })
    }
    await settle()
    expect(messagesOf(events)).toEqual([
      { topic: 'ws.send', payload: { type: 'text', data: 'x' } },
      { topic: 'ws.send', payload: { type: 'binary', data: 'AA==', encoding: 'base64' } },
    ])
  })
  it('[WP75] a room tells everybody who has joined, and ends when the last has left; only a client itself joins and leaves', async () => {
    const { ask, open, hub, settle } = createBench()
    const [a, b] = [open('a'), open('b')]
    const answer = await ask('a', 'spawn', { name: 'room', host: 'app:rooms', register: 'lobby' })
    const address = addressIn(answer)
    expect(pidIn(answer)).toMatch(/^\{app:rooms\|/)
    const say = (from: string, topic: string, payload: object): void => void hub.send(`peer/${from}`, address, { topic, payload })
    for (const name of ['a', 'b']) say(name, 'ws.join', { client_pid: `{peer|${name}}` })
    say('a', 'ws.join', { client_pid: '{peer|somebody}' })
    say('b', 'ws.message', { client_pid: '{peer|b}', type: 'text', data: 'hi' })
    await settle()
    for (const events of [a, b]) expect(messagesOf(events)).toEqual([{ topic: 'ws.send', payload: { type: 'text', data: 'hi' } }])
    say('a', 'ws.leave', { client_pid: '{peer|b}' })
    say('b', 'ws.leave', { client_pid: '{peer|b}' })
    await settle()
    expect(await ask('a', 'lookup', { name: 'lobby' })).toMatchObject({ address })
    say('a', 'ws.leave', { client_pid: '{peer|a}' })
    await settle()
    expect(await ask('a', 'lookup', { name: 'lobby' })).toBe('process.unknown')
  })
  it('[WP76] a process whose client never comes ends by itself, and leaves no timer', async () => {
    const { ask, open, clock, settle } = createBench()
    open('a')
    await ask('a', 'spawn', { name: 'room' })
    clock.advance(UNATTENDED_MS)
    await settle()
    expect(readObject(await ask('a', 'list'))?.processes).toEqual([])
    clock.advance(1_000)
    expect(clock.pendingTimers()).toBe(0)
  })
  it('[WP77] a program that throws ends abnormally, alone; so does one whose inbox is full', async () => {
    const fragile: ProcessProgram = () => ({
      receive({ topic }) {
        if (topic === 'throw') throw new Error('no')
      },
    })
    const { ask, open, hub, settle } = createBench({ fragile })
    const events = open('a')
    const [one, two] = [
      addressIn(await ask('a', 'spawn', { name: 'fragile', monitor: true })),
      addressIn(await ask('a', 'spawn', { name: 'fragile', monitor: true })),
    ]
    hub.send('peer/a', one, { topic: 'throw', payload: 1 })
    await settle()
    expect(messagesOf(events)).toMatchObject([{ topic: '@events', payload: { kind: 'EXIT', result: { error: 'failed' } } }])
    for (let count = 0; count <= SPAWN_LIMITS.inboxMessages; count += 1) hub.send('peer/a', two, { topic: 'x', payload: count })
    await settle()
    expect(messagesOf(events)).toMatchObject([{ topic: '@events', payload: { kind: 'EXIT', result: { error: 'inbox full' } } }])
  })
  it('[WP78] a program that throws at its start is no process', async () => {
    const broken: ProcessProgram = () => {
      throw new Error('no')
    }
    const { ask, open, hub } = createBench({ broken })
    open('a')
    const before = hub.measure().peers
    expect(await ask('a', 'spawn', { name: 'broken' })).toBe('server.internal')
    expect([hub.measure().peers, readObject(await ask('a', 'list'))?.processes]).toEqual([before, []])
  })
  it.each([
    [{ name: 'nobody' }, 'process.unknown'],
    [{ name: 'echo', host: 'a b' }, 'process.invalid_pid'],
    [{ name: 'echo', host: 'peer' }, 'process.invalid_pid'],
    [{ name: 'echo', host: 'name' }, 'process.invalid_pid'],
    [{ name: 7 }, 'frame.invalid_fields'],
    [{ name: 'echo', register: 'a b' }, 'frame.invalid_fields'],
  ])('[WP79] spawn %j fails with %s and leaves nothing behind', async (data, code) => {
    const { ask, open, clock } = createBench()
    open('a')
    expect(await ask('a', 'spawn', data)).toBe(code)
    clock.advance(1_000)
    expect([readObject(await ask('a', 'list'))?.processes]).toEqual([[]])
  })
  it('[WP80] processes are bounded, can be ended, and end with the relay', async () => {
    const { ask, open, processes } = createBench({ idle: () => ({ receive: () => undefined }) })
    open('a')
    const pid = pidIn(await ask('a', 'spawn', { name: 'idle' }))
    for (let count = 1; count < SPAWN_LIMITS.processes; count += 1) await ask('a', 'spawn', { name: 'idle' })
    expect(await ask('a', 'spawn', { name: 'idle' })).toBe('rate.limited')
    expect(await ask('a', 'terminate', { pid })).toEqual({ pid })
    expect(await ask('a', 'terminate', { pid })).toBe('process.unknown')
    expect(await ask('a', 'terminate', { pid: '{peer|a}' })).toBe('process.unknown')
    processes.stop()
    expect(readObject(await ask('a', 'list'))?.processes).toEqual([])
  })
})

describe('messages', () => {
  it('[WP81] send and broadcast reach PIDs and names, in the name of who asked, and say whom they did not reach', async () => {
    const { ask, open } = createBench()
    const [, b, c] = [open('a'), open('b'), open('c')]
    await ask('c', 'register', { name: 'chat' })
    expect(await ask('a', 'send', { to: '{name|chat}', topic: 't', payload: 1 })).toEqual({})
    expect(c).toMatchObject([{ kind: 'direct', from: 'peer/a', data: { topic: 't', payload: 1 } }])
    const to = ['{peer|b}', '{peer|gone}', '{name|chat}', 'x', 7, '{peer|forbidden}']
    expect(await ask('a', 'broadcast', { to, topic: 'ws.send', payload: { type: 'text', data: 'x' } })).toEqual({
      sent: 2,
      failed: ['{peer|gone}', 'x', 7, '{peer|forbidden}'],
    })
    expect([messagesOf(b).length, messagesOf(c).length]).toEqual([1, 2])
  })
  it.each([
    ['send', { to: '{peer|gone}', topic: 't' }, 'process.unknown'],
    ['send', { to: '{peer|forbidden}', topic: 't' }, 'auth.forbidden'],
    ['send', { to: 'x', topic: 't' }, 'process.invalid_pid'],
    ['send', { to: '{peer|a}' }, 'frame.invalid_fields'],
    ['send', { to: '{peer|a}', topic: '@events' }, 'frame.invalid_fields'],
    ['broadcast', { to: '{peer|a}', topic: 't' }, 'frame.invalid_fields'],
    ['broadcast', { to: [], topic: '@events' }, 'frame.invalid_fields'],
    ['broadcast', { to: Array.from({ length: 1_025 }, () => '{peer|a}'), topic: 't' }, 'frame.invalid_fields'],
    ['monitor', { pid: '{peer|forbidden}' }, 'auth.forbidden'],
    ['link', {}, 'process.invalid_pid'],
    ['terminate', undefined, 'process.invalid_pid'],
    ['nothing', {}, 'request.unknown_method'],
  ])('[WP82] %s with what it cannot do: %j is %s', async (method, data, code) => {
    const { ask, open } = createBench()
    open('a')
    expect(await ask('a', method, data)).toBe(code)
  })
})

describe('ends', () => {
  const exit = (kind: string, from: string, result: object): object => ({ topic: '@events', payload: { kind, from, result } })

  it('[WP83] a monitor is told of any end: EXIT with a value where it was orderly, with an error where not', async () => {
    const { ask, open, hub } = createBench()
    const a = open('a')
    for (const name of ['b', 'c']) open(name)
    for (const pid of ['{peer|b}', '{peer|c}', '{peer|b}']) await ask('a', 'monitor', { pid })
    hub.leave('peer/b', { reason: 'closed', isAbnormal: false })
    hub.leave('peer/c', FAILED)
    expect(messagesOf(a)).toEqual([exit('EXIT', '{peer|b}', { value: 'closed' }), exit('EXIT', '{peer|c}', { error: 'boom' })])
  })
  it('[WP84] a link is told of an abnormal end only, on both sides', async () => {
    const { ask, open, hub } = createBench()
    const a = open('a')
    const [b, c] = [open('b'), open('c')]
    for (const pid of ['{peer|b}', '{peer|c}']) await ask('a', 'link', { pid })
    hub.leave('peer/b', { reason: 'closed', isAbnormal: false })
    expect(messagesOf(a)).toEqual([])
    hub.leave('peer/a', FAILED)
    expect([messagesOf(b), messagesOf(c)]).toEqual([[], [exit('LINK_DOWN', '{peer|a}', { error: 'boom' })]])
    expect(hub.measure().watches).toBe(0)
  })
  it('[WP85] ended watches tell nothing, and leave nothing behind', async () => {
    const { ask, open, hub } = createBench()
    const [a, b] = [open('a'), open('b')]
    for (const method of ['monitor', 'link', 'unmonitor', 'unlink']) await ask('a', method, { pid: '{peer|b}' })
    expect(hub.measure().watches).toBe(0)
    hub.leave('peer/b', FAILED)
    expect([messagesOf(a), messagesOf(b)]).toEqual([[], []])
  })
  it("[WP86] a client's socket ends in order, however its connection broke: EXIT with its value, no LINK_DOWN", async () => {
    const { ask, open, hub, processes } = createBench()
    const a = open('a')
    open('client')
    const told: string[] = []
    processes.enter('peer/client', ({ reason }) => void told.push(reason))
    for (const method of ['monitor', 'link']) await ask('a', method, { pid: '{peer|client}' })
    hub.leave('peer/client', FAILED)
    expect(messagesOf(a)).toEqual([exit('EXIT', '{peer|client}', { value: 'websocket connection closed' })])
    expect([told, hub.measure().watches]).toEqual([['boom'], 0])
  })
  it('[WP87] a process inside the relay ends with one it is linked to, unless it traps links; the spawner may link at once', async () => {
    const heard: unknown[] = []
    const trapping: ProcessProgram = () => ({ trapsLinks: true, receive: ({ payload }) => void heard.push(payload) })
    const { ask, open, hub, settle } = createBench({ idle: () => ({ receive: () => undefined }), trapping })
    open('a')
    open('b')
    for (const name of ['idle', 'trapping']) await ask('a', 'spawn', { name, link: true })
    hub.leave('peer/a', FAILED)
    await settle()
    expect(heard).toMatchObject([{ kind: 'LINK_DOWN', from: '{peer|a}' }])
    expect(readObject(await ask('b', 'list'))?.processes).toMatchObject([{ program: 'trapping' }])
  })
  it('[WP88] nobody but the service can tell a process of an end', async () => {
    const { ask, open, hub, settle } = createBench({ idle: () => ({ receive: () => undefined }) })
    open('a')
    const address = addressIn(await ask('a', 'spawn', { name: 'idle' }))
    hub.send('peer/a', address, { topic: '@events', payload: { kind: 'LINK_DOWN', from: '{peer|a}' } })
    await settle()
    expect(readObject(await ask('a', 'list'))?.processes).toHaveLength(1)
  })
  it('[WP89] to watch what is not there is to be told at once; watches are bounded', async () => {
    const { ask, open, settle } = createBench()
    const a = open('a')
    await ask('a', 'monitor', { pid: '{peer|gone}' })
    await settle()
    expect(messagesOf(a)).toEqual([exit('EXIT', '{peer|gone}', { error: 'not there' })])
    for (let count = 0; count < 256; count += 1) open(`p${String(count)}`)
    for (let count = 0; count < 256; count += 1) await ask('a', 'monitor', { pid: `{peer|p${String(count)}}` })
    open('more')
    expect(await ask('a', 'monitor', { pid: '{peer|more}' })).toBe('request.too_many')
  })
  it('[WP90] a program monitors and links as others do, and sends to names', async () => {
    const watcher: ProcessProgram = (self) => ({
      trapsLinks: true,
      receive({ topic, payload, from }) {
        if (topic === 'watch') {
          self.monitor(String(payload))
          self.link(String(payload))
        } else self.send('{name|log}', { topic: 'seen', payload: { payload, from } })
      },
    })
    const { ask, open, hub, settle } = createBench({ watcher })
    const a = open('a')
    open('b')
    await ask('a', 'register', { name: 'log' })
    hub.send('peer/a', addressIn(await ask('a', 'spawn', { name: 'watcher' })), { topic: 'watch', payload: '{peer|b}' })
    await settle()
    hub.leave('peer/b', FAILED)
    await settle()
    const events = messagesOf(a).map((message) => readObject(readObject(readObject(message)?.payload)?.payload)?.kind)
    expect(events).toEqual(['EXIT', 'LINK_DOWN'])
  })
})
