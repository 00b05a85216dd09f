/** The suite against a whole relay: on both wires, at its path on the one port and at the root of a port of its own. */
import { describe, expect, it } from 'vitest'
import { expectRefusal, openTestClient, type TestClient } from '#shared/testing/test-client'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { json, openAgentClient } from './testing/agent-client.ts'
import { describeAgents, type AgentSubject } from './testing/agent-suite.ts'

const SETTINGS = { COMPAT_PORTS: '0:agent', COMPAT_ROLE: 'station' }

async function openSubject(transport: string, isOwnPath: boolean): Promise<AgentSubject> {
  const relay = await startTestRelay({
    settings: { ...SETTINGS, RELAY_TRANSPORT: transport },
    limits: { errorBurst: 10_000 },
  })
  const port = isOwnPath ? relay.port : (relay.compatPorts[0]?.port ?? 0)
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    url: (agent) => `ws://127.0.0.1:${String(port)}${isOwnPath ? `/ws/agent/${encodeURIComponent(agent)}` : '/any/path'}`,
    stop: () => relay[Symbol.asyncDispose](),
  }
}

for (const transport of ['uws', 'ws']) {
  describeAgents(`/ws/agent/{id} (${transport})`, { isOwnPath: true, start: () => openSubject(transport, true) })
  describeAgents(`a port of their own (${transport})`, { isOwnPath: false, start: () => openSubject(transport, false) })
}

async function openNative(relay: TestRelay): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay`)
  client.send({ type: 'hello', version: 1, token: await relay.acquireToken() })
  await client.nextOf('welcome')
  return client
}

describe('agents and the others on the bus', () => {
  const urlOf = (relay: TestRelay, agent: string): string => `ws://127.0.0.1:${String(relay.port)}/ws/agent/${agent}`

  it('[ZN1] a message published natively reaches the agent, and the agent is heard natively', async () => {
    await using relay = await startTestRelay({ settings: SETTINGS })
    await using native = await openNative(relay)
    await using agent = await openAgentClient(urlOf(relay, 'a.1'))
    native.send({ type: 'subscribe', id: 's', topic: 'agent/a.2E1/+' })
    await native.nextOf('subscribed')
    expect(await agent.settle()).toEqual([])
    for (const data of [{ type: 'note', data: [1] }, { text: 'hola' }, { base64: 'AAH/' }, [1, 2]]) {
      native.send({ type: 'publish', topic: 'agent/a.2E1/message', data })
    }
    expect([await agent.next(), await agent.next(), await agent.next(), await agent.next()]).toEqual([
      json('note', [1]),
      { kind: 'text', text: 'hola' },
      { kind: 'binary', bytes: [0, 1, 255] },
      { kind: 'text', text: '[1,2]' },
    ])
    agent.send(Uint8Array.of(0, 1, 255))
    agent.say('message', { x: 1 })
    const isFrom = (data: unknown) => (message: Record<string, unknown>) => JSON.stringify(message['data']) === JSON.stringify(data)
    expect(await native.next(isFrom({ base64: 'AAH/' }))).toBeDefined()
    await native.next((message) => message['type'] === 'message' && isFrom({ base64: 'AAH/' })(message))
    expect(await native.next(isFrom({ x: 1 }))).toMatchObject({ topic: 'agent/a.2E1/message' })
    agent.say('add_agent')
    expect(await native.next((message) => JSON.stringify(message).includes('created'))).toMatchObject({
      data: { agent: 'a.2E1', event: 'created' },
    })
  })
  it('[ZN2] a native client executes an agent it serves; the outcome comes although the asker left', async () => {
    await using relay = await startTestRelay({ settings: SETTINGS })
    await using native = await openNative(relay)
    await using agent = await openAgentClient(urlOf(relay, 'a'))
    native.send({ type: 'subscribe', topic: 'agent/a/event' })
    agent.say('create_agent', { contractId: 'c' })
    await agent.next()
    native.send({ type: 'request', id: 'serve', to: 'agents', method: 'agent.serve', data: { agent: 'a' } })
    await native.nextOf('replied')
    agent.say('execute', { amount: 3 })
    const asked = await native.nextOf('requested')
    expect(asked).toMatchObject({ method: 'execute', data: { agent: 'a', input: { amount: 3 } } })
    native.send({ type: 'reply', id: asked['id'], data: { results: ['minted'], logs: [{ level: 'info', message: 'minting' }] } })
    const frames = [await agent.next(), await agent.next(), await agent.next(), await agent.next(), await agent.next()]
    expect(frames).toMatchObject([
      json('execute_response', { status: 'processing' }),
      json('log', { message: 'Iniciando ejecución del agente a...' }),
      json('log', { agent_id: 'a', level: 'info', message: 'minting' }),
      json('execute_response', {
        status: 'success',
        results: ['minted'],
        logs: [{ level: 'info', message: 'minting', timestamp: expect.any(String) }],
      }),
      json('log', { message: 'Ejecución completada: 1 acciones realizadas' }),
    ])
    agent.say('execute', {})
    const again = await native.nextOf('requested')
    await agent[Symbol.asyncDispose]()
    native.send({ type: 'reply', id: again['id'], data: { results: ['later'] } })
    expect(await native.next((message) => JSON.stringify(message).includes('later'))).toMatchObject({
      topic: 'agent/a/event',
      data: { event: 'executed', results: ['later'] },
    })
  })
  it('[ZN3] connections are seen in presence, under their agent', async () => {
    await using relay = await startTestRelay({ settings: { ...SETTINGS, ADMIN_TOKEN: 'an-admin-token-of-24-letters' } })
    await using admin = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay`, {
      headers: { authorization: 'Bearer an-admin-token-of-24-letters' },
    })
    admin.send({ type: 'subscribe', topic: '$relay/presence' })
    await admin.nextOf('subscribed')
    const agent = await openAgentClient(urlOf(relay, 'a'))
    const joined = await admin.next((message) => JSON.stringify(message).includes('joined'))
    expect(joined).toMatchObject({ data: { event: 'joined', client: 'agent a', roles: ['station'] } })
    await agent[Symbol.asyncDispose]()
    expect(await admin.next((message) => JSON.stringify(message).includes('"left"'))).toMatchObject({
      data: { event: 'left', client: 'agent a' },
    })
  })
  it('[ZN4] without the right to agents a message gets an error, not silence', async () => {
    await using relay = await startTestRelay({ settings: { COMPAT_ROLE: 'viewer' } })
    await using agent = await openAgentClient(urlOf(relay, 'a'))
    agent.say('create_agent', { contractId: 'c' })
    expect(await agent.next()).toMatchObject(json('error', { code: 'auth.forbidden', logs: [] }))
    agent.send(Uint8Array.of(1))
    expect(await agent.next()).toMatchObject(json('error', { code: 'auth.forbidden' }))
  })
  it('[ZN5] COMPAT_AUTH=token asks for a token, which then counts', async () => {
    await using relay = await startTestRelay({ settings: { COMPAT_AUTH: 'token' } })
    expect(await expectRefusal(urlOf(relay, 'a'))).toMatchObject({ status: 401 })
    await using agent = await openAgentClient(urlOf(relay, 'a'), { authorization: `Bearer ${await relay.acquireToken()}` })
    agent.say('add_agent')
    expect(await agent.next()).toEqual(json('agent_added', { agent_id: 'a' }))
  })
  it.each([
    ['/ws/agent/', 404],
    ['/ws/agent/a/b', 404],
    ['/ws/agent/%ff', 404],
    [`/ws/agent/${'x'.repeat(65)}`, 400],
  ])('[ZN6] refuses %s', async (path, status) => {
    await using relay = await startTestRelay({ settings: SETTINGS })
    expect(await expectRefusal(`ws://127.0.0.1:${String(relay.port)}${path}`)).toMatchObject({ status })
  })
  it('[ZN7] many agents named on one connection: the newest are heard', async () => {
    await using relay = await startTestRelay({ settings: SETTINGS })
    await using client = await openAgentClient(urlOf(relay, 'own'))
    await using other = await openAgentClient(urlOf(relay, 'own-other'))
    for (let agent = 0; agent < 40; agent += 1) {
      client.say('add_agent', { agent_id: `a${String(agent)}` })
      await client.next()
    }
    for (const agent of ['a0', 'a39']) {
      other.say('start_agent', { agent_id: agent })
      await other.next()
    }
    expect(await client.settle()).toEqual([json('agent_started', { agent_id: 'a39' })])
  })
})
