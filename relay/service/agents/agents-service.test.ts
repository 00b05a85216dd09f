import { describe, expect, it } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createTestHub, SOMEBODY } from '../../hub/testing/test-hub.ts'
import type { AccessPolicy, PeerEvent } from '../../ports.ts'
import { AGENT_LIMITS, type AgentLimits } from './agent-limits.ts'
import { startAgents } from './agents-service.ts'

/** As the built-in policy has it for a station. */
const STATION: AccessPolicy = {
  check: (_identity, _action, target) => (target.startsWith('peer/') ? succeed(undefined) : fail('auth.forbidden', 'No.')),
}

const toRecord = (value: unknown): Record<string, unknown> => ({ ...(typeof value === 'object' ? value : {}) })
/** What a test looks into; a wrong guess fails it. */
type Answer = ReturnType<typeof JSON.parse>

function start(limits: Partial<AgentLimits> = {}) {
  const test = createTestHub({ limits: { pendingRequestsPerPeer: 100, peers: 100 } })
  const { hub, clock, turn } = test
  const log = createKeptLog()
  const started = startAgents({
    hub,
    clock,
    turn,
    random: createSeededRandom(1),
    policy: STATION,
    log,
    limits: { ...AGENT_LIMITS, ...limits },
  })
  if (!started.ok) throw new Error(started.failure.message)
  const heard = test.listen('agent/#')
  const asker = test.join('peer/asker')
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      turn.end()
    }
  }
  let asked = 0
  /** @returns what the service replied, or the code of its refusal. */
  async function ask(method: string, data?: unknown, from = 'peer/asker', events: readonly PeerEvent[] = asker): Promise<Answer> {
    const id = String((asked += 1))
    hub.request({ id, from, by: SOMEBODY, to: 'agents', method, data, deadlineMs: 1_000 })
    await settle()
    const end = events.find((event) => event.kind === 'requestEnded' && event.id === id)
    if (end?.kind !== 'requestEnded') throw new Error('no answer')
    return end.outcome.kind === 'replied'
      ? JSON.parse(JSON.stringify(end.outcome.data))
      : end.outcome.kind === 'failed'
        ? end.outcome.failure.code
        : end.outcome.error
  }
  const directs = () => asker.flatMap((event) => (event.kind === 'direct' ? [event.data] : []))
  const events = () =>
    heard.map(({ topic, json }) => {
      const data: unknown = JSON.parse(json)
      expect(isPayloadOf('agentEvent', data)).toBe(true)
      return { topic, data }
    })
  const kinds = () => events().map(({ data }) => toRecord(data)['event'])
  return { ...test, ask, settle, directs, events, kinds }
}

/** A peer that executes agents as it is told. */
function createExecutor(
  { hub }: ReturnType<typeof start>,
  answer: ((data: unknown) => unknown) | undefined,
): { readonly asked: unknown[]; finish(data: unknown): void } {
  const asked: unknown[] = []
  const ids: string[] = []
  hub.join({
    address: 'peer/executor',
    receive(event) {
      if (event.kind !== 'requested') return
      asked.push({ method: event.method, by: event.by.subject, ...toRecord(event.data) })
      ids.push(event.id)
      if (answer !== undefined) queueMicrotask(() => hub.reply('peer/executor', event.id, { kind: 'replied', data: answer(event.data) }))
    },
  })
  return { asked, finish: (data) => void hub.reply('peer/executor', ids.shift() ?? '', { kind: 'replied', data }) }
}

describe('agents', () => {
  it('[AG1] are added, changed, listed, started, stopped and removed, and each is told on their topic', async () => {
    const relay = start()
    const { ask, kinds, events } = relay
    expect(await ask('agent.put', { agent: 'a 1', document: { name: 'n', gas: 1 } })).toMatchObject({
      isNew: true,
      agent: { agent: 'a 1', isRunning: false },
    })
    expect(await ask('agent.put', { agent: 'a 1', document: { gas: 2 } })).toMatchObject({
      isNew: false,
      agent: { document: { name: 'n', gas: 2 } },
    })
    expect(await ask('agent.start', { agent: 'a 1' })).toEqual({ agent: 'a 1' })
    expect(await ask('agent.start', { agent: 'a 1' })).toEqual({ agent: 'a 1' })
    expect(await ask('agent.get', { agent: 'a 1' })).toMatchObject({ agent: { isRunning: true }, documents: [] })
    expect(await ask('agent.stop', { agent: 'a 1' })).toEqual({ agent: 'a 1' })
    expect(await ask('agent.list')).toMatchObject({ agents: [{ agent: 'a 1', isRunning: false }], isComplete: true })
    expect(await ask('agent.remove', { agent: 'a 1' })).toEqual({ agent: 'a 1' })
    expect(await ask('agent.list')).toMatchObject({ agents: [] })
    expect(kinds()).toEqual(['created', 'updated', 'started', 'started', 'stopped', 'removed'])
    expect(events()[0]).toEqual({ topic: 'agent/a.201/event', data: { agent: 'a.201', event: 'created', time: 1_700_000_000_000 } })
  })
  it.each(['agent.get', 'agent.start', 'agent.stop', 'agent.remove', 'agent.execute', 'agent.serve', 'agent.log'])(
    '[AG2] %s of an agent nobody knows',
    async (method) => {
      const { ask, kinds } = start()
      expect(await ask(method, { agent: 'x', message: 'x' })).toBe('agent.unknown')
      expect(await ask(method, { agent: 7 })).toBe('agent.invalid')
      expect(await ask(method)).toBe('agent.invalid')
      expect(kinds()).toEqual([])
    },
  )
  it('[AG3] outlive whoever made them', async () => {
    const { ask, hub, join } = start()
    await ask('agent.put', { agent: 'a' })
    await ask('agent.start', { agent: 'a' })
    hub.leave('peer/asker')
    expect(await ask('agent.get', { agent: 'a' }, 'peer/2', join('peer/2'))).toMatchObject({ agent: { isRunning: true } })
  })
  it('[AG4] keep documents that nobody here reads, and give them back; an id is made where there is none', async () => {
    const { ask } = start()
    await ask('agent.put', { agent: 'a' })
    const made = await ask('document.put', { agent: 'a', kind: 'function', document: { abi: [{ x: null }] } })
    expect(made).toMatchObject({
      isNew: true,
      document: { kind: 'function', id: expect.stringMatching(/^[\w-]{16}$/), document: { abi: [{ x: null }] } },
    })
    expect(await ask('document.put', { agent: 'a', kind: 'function', id: made.document.id, document: { y: 1 } })).toMatchObject({
      isNew: false,
      document: { document: { abi: [{ x: null }], y: 1 } },
    })
    await ask('document.put', { agent: 'a', kind: 'schedule', document: {} })
    await ask('document.put', { kind: 'contract', id: 'c', document: { z: 1 } })
    expect((await ask('document.list', { agent: 'a' })).documents).toHaveLength(2)
    expect((await ask('document.list', { agent: 'a', kind: 'function' })).documents).toHaveLength(1)
    expect(await ask('document.list', { kind: 'contract' })).toMatchObject({ documents: [{ id: 'c', document: { z: 1 } }] })
    expect(await ask('document.put', { agent: 'b', kind: 'function', document: {} })).toBe('agent.unknown')
    await ask('agent.remove', { agent: 'a' })
    await ask('agent.put', { agent: 'a' })
    expect(await ask('document.list', { agent: 'a' })).toEqual({ documents: [] })
  })
  it.each([
    [{ agent: 'a', kind: 'F' }],
    [{ agent: 'a' }],
    [{ agent: 'a', kind: 'f', id: 7 }],
    [{ agent: 'a', kind: 'f', document: [] }],
    [{ agent: '', kind: 'f' }],
  ])('[AG5] refuses the document %j', async (data) => {
    const { ask } = start()
    await ask('agent.put', { agent: 'a' })
    expect(await ask('document.put', data)).toBe('agent.invalid')
  })
  it('[AG6] are bounded: agents, documents, bytes of one document, of one agent and of all; removing makes room', async () => {
    const { ask } = start({ agents: 2, documentsPerAgent: 2, documentBytes: 100, agentBytes: 150, totalBytes: 200, looseDocuments: 1 })
    const text = (length: number) => ({ text: 'x'.repeat(length) })
    await ask('agent.put', { agent: 'a' })
    await ask('agent.put', { agent: 'b' })
    expect(await ask('agent.put', { agent: 'c' })).toBe('agent.too_many')
    expect(await ask('document.put', { agent: 'a', kind: 'f', document: text(100) })).toBe('agent.too_many')
    await ask('document.put', { agent: 'a', kind: 'f', id: '1', document: text(80) })
    expect(await ask('document.put', { agent: 'a', kind: 'f', id: '2', document: text(80) })).toBe('agent.too_many')
    expect(await ask('document.put', { agent: 'a', kind: 'f', id: '1', document: text(70) })).toMatchObject({ isNew: false })
    await ask('document.put', { agent: 'a', kind: 'f', id: '2' })
    expect(await ask('document.put', { agent: 'a', kind: 'f', id: '3' })).toBe('agent.too_many')
    await ask('document.put', { agent: 'b', kind: 'f', document: text(80) })
    expect(await ask('document.put', { kind: 'contract', id: '1', document: text(20) })).toBe('agent.too_many')
    await ask('agent.remove', { agent: 'a' })
    await ask('document.put', { kind: 'contract', id: '1', document: text(20) })
    expect(await ask('document.put', { kind: 'contract', id: '2' })).toBe('agent.too_many')
  })
})

describe('an execution', () => {
  it('[AG10] asks the executor in the name of whoever asked, and brings its results to that one, its news to all', async () => {
    const relay = start()
    const executor = createExecutor(relay, () => ({ results: [1, { b: 2 }], logs: [{ level: 'warning', message: 'hm' }, 'plain'] }))
    const { ask, directs, kinds } = relay
    await ask('agent.put', { agent: 'a', document: { name: 'n' }, executor: 'peer/executor' })
    await ask('document.put', { agent: 'a', kind: 'function', id: 'f', document: {} })
    const { execution } = await ask('agent.execute', { agent: 'a', input: { x: 1 } })
    expect(executor.asked).toMatchObject([
      {
        method: 'execute',
        by: 'somebody',
        agent: 'a',
        execution,
        document: { name: 'n' },
        documents: [{ kind: 'function', id: 'f' }],
        input: { x: 1 },
      },
    ])
    expect(directs()).toEqual([
      {
        kind: 'executed',
        agent: 'a',
        execution,
        results: [1, { b: 2 }],
        logs: [
          { level: 'warning', message: 'hm', time: 1_700_000_000_000 },
          { level: 'info', message: 'plain', time: 1_700_000_000_000 },
        ],
      },
    ])
    expect(kinds()).toEqual(['created', 'executing', 'log', 'log', 'executed'])
  })
  it.each([
    ['nothing', undefined, []],
    ['a bare value', 42, [42]],
    ['an object', { done: true }, [{ done: true }]],
    ['logs only', { logs: [] }, []],
  ])('[AG11] takes %s for an answer', async (_, answer, results) => {
    const relay = start()
    createExecutor(relay, () => answer)
    await relay.ask('agent.put', { agent: 'a', executor: 'peer/executor' })
    await relay.ask('agent.execute', { agent: 'a' })
    expect(relay.directs()).toMatchObject([{ kind: 'executed', results }])
  })
  it('[AG12] by the echo says which functions there are', async () => {
    const { ask, directs } = start()
    await ask('agent.put', { agent: 'a', executor: 'echo' })
    await ask('document.put', { agent: 'a', kind: 'function', id: 'f' })
    await ask('document.put', { agent: 'a', kind: 'schedule', id: 's' })
    await ask('agent.execute', { agent: 'a', input: 7 })
    expect(directs()).toMatchObject([{ kind: 'executed', results: [{ input: 7 }, { function: 'f' }], logs: [] }])
  })
  it('[AG13] without an executor, or with one that the asker may not ask, is refused', async () => {
    const { ask, kinds } = start()
    await ask('agent.put', { agent: 'a' })
    expect(await ask('agent.execute', { agent: 'a' })).toBe('request.unknown_target')
    expect(await ask('agent.put', { agent: 'a', executor: 'machine/1' })).toBe('auth.forbidden')
    expect(await ask('agent.put', { agent: 'a', executor: 'not an address' })).toBe('agent.invalid')
    expect(kinds()).toEqual(['created'])
  })
  it('[AG14] fails when the executor is not there, leaves, says no, is too late, or answers too much', async () => {
    const relay = start({ resultBytes: 100 })
    const { ask, directs, hub, clock, settle, kinds } = relay
    await ask('agent.put', { agent: 'a', executor: 'peer/executor' })
    await ask('agent.execute', { agent: 'a' })
    const executor = createExecutor(relay, undefined)
    await ask('agent.execute', { agent: 'a' })
    clock.advance(AGENT_LIMITS.executionMs)
    await ask('agent.execute', { agent: 'a' })
    executor.finish(undefined)
    executor.finish({ results: ['x'.repeat(100)] })
    await settle()
    await ask('agent.execute', { agent: 'a' })
    hub.leave('peer/executor')
    await settle()
    const codes = directs().map((data) => toRecord(data)['code'])
    expect(codes.toSorted()).toEqual(['frame.too_large', 'request.deadline_passed', 'request.target_gone', 'request.unknown_target'])
    expect(kinds().filter((kind) => kind === 'failed')).toHaveLength(4)
  })
  it('[AG15] goes on when whoever asked leaves: its outcome is on the topic', async () => {
    const relay = start()
    const executor = createExecutor(relay, undefined)
    const { ask, hub, settle, kinds } = relay
    await ask('agent.put', { agent: 'a', executor: 'peer/executor' })
    await ask('agent.execute', { agent: 'a' })
    hub.leave('peer/asker')
    executor.finish({ results: [1] })
    await settle()
    expect(kinds()).toEqual(['created', 'executing', 'executed'])
  })
  it('[AG16] is bounded per agent and in all, and gives its place back', async () => {
    const relay = start({ executionsPerAgent: 1, executions: 2 })
    const executor = createExecutor(relay, undefined)
    const { ask, settle } = relay
    for (const agent of ['a', 'b', 'c']) await ask('agent.put', { agent, executor: 'peer/executor' })
    await ask('agent.execute', { agent: 'a' })
    expect(await ask('agent.execute', { agent: 'a' })).toBe('rate.limited')
    await ask('agent.execute', { agent: 'b' })
    expect(await ask('agent.execute', { agent: 'c' })).toBe('rate.limited')
    executor.finish(1)
    await settle()
    expect(await ask('agent.execute', { agent: 'c' })).toMatchObject({ agent: 'c' })
  })
  it('[AG17] is served by a peer that says so, until it leaves', async () => {
    const relay = start()
    const { ask, join, hub, directs } = relay
    await ask('agent.put', { agent: 'a' })
    const events = join('peer/worker')
    expect(await ask('agent.serve', { agent: 'a' }, 'peer/worker', events)).toEqual({ agent: 'a' })
    expect(await ask('agent.serve', { agent: 'a' }, 'peer/worker', events)).toEqual({ agent: 'a' })
    await ask('agent.execute', { agent: 'a' })
    const asked = events.find(({ kind }) => kind === 'requested')
    hub.reply('peer/worker', asked?.kind === 'requested' ? asked.id : '', { kind: 'replied', data: { results: ['done'] } })
    await relay.settle()
    expect(directs()).toMatchObject([{ kind: 'executed', results: ['done'] }])
    hub.leave('peer/worker')
    expect(await ask('agent.execute', { agent: 'a' })).toBe('request.unknown_target')
  })
  it('[AG18] a line of the agent is told to all', async () => {
    const { ask, events } = start()
    await ask('agent.put', { agent: 'a' })
    await ask('agent.log', { agent: 'a', level: 'error', message: 'uh' })
    expect(await ask('agent.log', { agent: 'a', level: 'loud', message: 'uh' })).toBe('agent.invalid')
    expect(events().at(-1)).toMatchObject({ data: { event: 'log', level: 'error', message: 'uh' } })
  })
})
