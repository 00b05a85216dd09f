/** Zephyrus' messages as cases that know only a URL: each of its documents, the source's texts, and what must not happen between agents. */
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, openAgentClient, type AgentClient } from './agent-client.ts'

export interface AgentSubject {
  /** Where a client of that agent connects. */
  url(agent: string): string
  /** `http://host:port`. */
  readonly origin: string
  stop(): Promise<void>
}

export interface AgentSuite {
  /** Whether the URL says which agent the connection belongs to. */
  readonly isOwnPath: boolean
  readonly start: () => Promise<AgentSubject>
}

const CONTRACT = {
  contract_id: 'c-1',
  address: '0x00000000000000000000000000000000000000c1',
  chain_id: '57054',
  name: 'Token',
  type: 'erc20',
  abi: [{ type: 'function', name: 'mint', inputs: [{ name: 'to', type: 'address' }] }],
  deployed_at: '2026-01-01T00:00:00Z',
  owner_address: '0x00000000000000000000000000000000000000aa',
}
const AGENT = {
  contractId: 'c-1',
  name: 'Minter',
  description: 'mints',
  status: 'paused',
  gas_limit: '250000',
  max_priority_fee: '2',
  owner: '0xaa',
  contract_state: { supply: 1 },
}
const FUNCTION = {
  function_name: 'mint',
  function_signature: 'mint(address)',
  function_type: 'write',
  validation_rules: { max: 3 },
  abi: [{ name: 'mint' }],
}
const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
const TIMES = { created_at: TIMESTAMP, updated_at: TIMESTAMP }
const error = (message: unknown, code: string) => json('error', { message, logs: [], code })

export function describeAgents(name: string, { isOwnPath, start }: AgentSuite): void {
  describe(`agents at ${name}`, () => {
    let subject: AgentSubject
    let made = 0
    beforeAll(async () => {
      subject = await start()
    })
    afterAll(() => subject.stop())

    const newId = (): string => `agente-${String((made += 1))}`
    const open = (agent: string): Promise<AgentClient> => openAgentClient(subject.url(agent))
    /** With an agent of that id created. */
    async function openCreated(agent: string, data: object = {}): Promise<AgentClient> {
      const client = await open(agent)
      client.say('create_agent', { ...AGENT, agentId: agent, ...data })
      expect(await client.next()).toMatchObject(json('create_agent_response', { status: 'success' }))
      return client
    }

    it.each(['/', '/health'])('[ZC1] GET %s answers OK', async (path) => {
      expect(await probe(`${subject.origin}${path}`)).toEqual({ status: 200, text: 'OK' })
    })
    it('[ZC2] says nothing unasked', async () => {
      await using client = await open(newId())
      expect(await client.settle()).toEqual([])
    })
    it('[ZC3] create_contract answers with the row', async () => {
      await using client = await open(newId())
      client.say('create_contract', CONTRACT)
      expect(await client.next()).toEqual(json('create_contract_response', { ...CONTRACT, ...TIMES }))
    })
    it.each(['contract_id', 'address', 'chain_id'])('[ZC4] create_contract without %s is an error', async (field) => {
      await using client = await open(newId())
      client.say('create_contract', { ...CONTRACT, [field]: undefined })
      expect(await client.next()).toEqual(error(`Error creating contract: ${field} is required`, 'agent.invalid'))
    })
    it.each(['contractId', 'contract_id'])(
      '[ZC5] create_agent takes %s, answers with the row, and updates when the agent is there',
      async (field) => {
        const agent = newId()
        await using client = await open(agent)
        const { contractId, ...rest } = AGENT
        client.say('create_agent', { ...rest, [field]: contractId, agentId: agent })
        const row = { ...rest, contract_id: contractId, agent_id: agent, ...TIMES }
        expect(await client.next()).toEqual(
          json('create_agent_response', { status: 'success', message: 'Agente creado correctamente', agent: row, agent_id: agent }),
        )
        client.say('create_agent', { contractId, agentId: agent, name: 'Other' })
        expect(await client.next()).toEqual(
          json('create_agent_response', {
            status: 'success',
            message: 'Agente actualizado correctamente',
            agent: { ...row, name: 'Other' },
            agent_id: agent,
          }),
        )
      },
    )
    it('[ZC6] create_agent fills in what the original fills in', async () => {
      await using client = await open(newId())
      client.say('create_agent', { contractId: 7, agent_id: newId() })
      expect(await client.next()).toMatchObject(
        json('create_agent_response', { agent: { status: 'paused', gas_limit: '300000', max_priority_fee: '1.5', contract_id: '7' } }),
      )
    })
    it('[ZC7] create_agent without a contract is an error', async () => {
      await using client = await open(newId())
      client.say('create_agent', { name: 'x' })
      expect(await client.next()).toEqual(error('Error creating/updating agent: contractId is required', 'agent.invalid'))
    })
    it('[ZC8] create_function answers with the row, for the agent created on this connection', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      client.say('create_function', FUNCTION)
      const row = { ...FUNCTION, function_id: expect.any(String), agent_id: agent, is_enabled: true, ...TIMES }
      expect(await client.next()).toEqual(json('create_function_response', { status: 'success', function: row }))
    })
    it('[ZC9] create_schedule and create_notification likewise', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      client.say('create_schedule', { schedule_type: 'cron', cron_expression: '0 * * * *', next_execution: '2026-01-01T00:00:00Z' })
      expect(await client.next()).toMatchObject(
        json('create_schedule_response', {
          status: 'success',
          schedule: { schedule_id: expect.any(String), agent_id: agent, cron_expression: '0 * * * *', is_active: true },
        }),
      )
      client.say('create_notification', { notification_type: 'email', configuration: { to: 'x' }, is_enabled: false })
      expect(await client.next()).toMatchObject(
        json('create_notification_response', {
          status: 'success',
          notification: { notification_id: expect.any(String), agent_id: agent, configuration: { to: 'x' }, is_enabled: false },
        }),
      )
    })
    it.each([
      ['create_function', { ...FUNCTION, function_name: undefined }, 'Error creating function: function_name is required'],
      ['create_function', { ...FUNCTION, function_type: 'magic' }, 'Error creating function: function_type must be read, write or payable'],
      ['create_schedule', {}, 'Error creating schedule: schedule_type is required'],
      ['create_schedule', { schedule_type: 'cron' }, 'Error creating schedule: cron_expression is required for cron schedules'],
      ['create_notification', {}, 'Error creating notification: notification_type is required'],
    ])('[ZC10] %s refuses %j', async (type, data, message) => {
      await using client = await openCreated(newId())
      client.say(type, data)
      expect(await client.next()).toEqual(error(message, 'agent.invalid'))
    })
    it.each([
      ['create_function', FUNCTION],
      ['create_schedule', { schedule_type: 'once' }],
      ['create_notification', { notification_type: 'email' }],
    ])('[ZC11] %s before any agent is an error', async (type, data) => {
      await using client = await open(newId())
      client.say(type, data)
      expect(await client.next()).toMatchObject(
        json('error', { message: 'No agent ID available. Please create an agent first.', logs: [] }),
      )
    })
    it('[ZC12] configure_agent answers twice', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      client.say('configure_agent', { agent: { agent_id: agent }, functions: [FUNCTION], schedule: {}, notifications: [] })
      expect(await client.next()).toEqual(
        json('configure_agent_response', { status: 'success', message: 'Agente configurado correctamente', agent_id: agent }),
      )
      expect(await client.next()).toEqual(
        json('agent_configured', { status: 'success', agent_id: agent, message: 'Agente configurado y listo para usar' }),
      )
    })
    it('[ZC13] add_agent makes an agent that can be started', async () => {
      const agent = newId()
      await using client = await open(agent)
      client.say('add_agent', { agent_id: agent })
      expect(await client.next()).toEqual(json('agent_added', { agent_id: agent }))
      client.say('start_agent', { agent_id: agent })
      expect(await client.next()).toEqual(json('agent_started', { agent_id: agent }))
    })
    it.each([
      ['in data.agent_id', (agent: string) => [{ agent_id: agent }, {}]],
      ['in data.agentId', (agent: string) => [{ agentId: agent }, {}]],
      ['in agent_id beside data', (agent: string) => [{}, { agent_id: agent }]],
      ['in agentId beside data', (agent: string) => [undefined, { agentId: agent }]],
    ])('[ZC14] starts, stops and removes the agent named %s; twice is no error', async (_, words) => {
      const agent = newId()
      await using client = await openCreated(agent)
      const [data, beside] = words(agent)
      for (const [type, answer] of [
        ['start_agent', 'agent_started'],
        ['start_agent', 'agent_started'],
        ['stop_agent', 'agent_stopped'],
        ['stop_agent', 'agent_stopped'],
        ['remove_agent', 'agent_removed'],
      ] as const) {
        client.say(type, data, beside)
        expect(await client.next()).toEqual(json(answer, { agent_id: agent }))
      }
      client.say('start_agent', data, beside)
      expect(await client.next()).toEqual(error(`Agent ${agent} not found`, 'agent.unknown'))
    })
    it.each(['start_agent', 'stop_agent', 'remove_agent'])('[ZC15] %s of an agent nobody knows', async (type) => {
      await using client = await open(newId())
      client.say(type, { agent_id: 'nobody' })
      expect(await client.next()).toEqual(error('Agent nobody not found', 'agent.unknown'))
    })
    it.each(['execute', 'websocket_execution'])('[ZC16] %s runs what is registered, in the documented order', async (type) => {
      const agent = newId()
      await using client = await openCreated(agent, { executor: 'echo' })
      client.say('create_function', { ...FUNCTION, function_id: 'f-1' })
      await client.next()
      client.say(type, { agent_id: agent })
      expect([await client.next(), await client.next(), await client.next(), await client.next()]).toEqual([
        json('execute_response', { status: 'processing', message: 'Ejecución del agente iniciada', agent_id: agent }),
        json('log', { agent_id: agent, level: 'info', message: `Iniciando ejecución del agente ${agent}...` }),
        json('execute_response', {
          status: 'success',
          agent_id: agent,
          results: [{ function: 'f-1' }],
          message: 'Ejecución completada con éxito',
          logs: [],
        }),
        json('log', { agent_id: agent, level: 'info', message: 'Ejecución completada: 1 acciones realizadas' }),
      ])
    })
    it('[ZC17] execute without an executor, and with one that is not there, is an error of the execution', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      client.say('execute', { agent_id: agent })
      expect(await client.next()).toMatchObject(
        json('execute_response', { status: 'error', agent_id: agent, logs: [], code: 'request.unknown_target' }),
      )
      client.say('create_agent', { ...AGENT, agentId: agent, executor: 'peer/nobody' })
      await client.next()
      client.say('execute', { agent_id: agent })
      expect([await client.next(), await client.next(), await client.next()]).toMatchObject([
        json('execute_response', { status: 'processing' }),
        json('log', { level: 'info' }),
        json('execute_response', { status: 'error', agent_id: agent, code: 'request.unknown_target' }),
      ])
    })
    it('[ZC18] execute of an agent nobody knows', async () => {
      await using client = await open(newId())
      client.say('execute', { agent_id: 'nobody' })
      expect(await client.next()).toEqual(error('No se encontró el agente con ID nobody', 'agent.unknown'))
    })
    it.each([
      ['{"type": ', 'Invalid JSON message', 'frame.malformed_json'],
      ['hola', 'Invalid JSON message', 'frame.malformed_json'],
      ['[1]', 'Invalid JSON message', 'frame.malformed_json'],
      ['null', 'Invalid JSON message', 'frame.malformed_json'],
      ['"text"', 'Invalid JSON message', 'frame.malformed_json'],
      ['{"__proto__":{"type":"execute"}}', 'Invalid JSON message', 'frame.malformed_json'],
      [`{"type":"execute","data":${'['.repeat(40)}${']'.repeat(40)}}`, 'Invalid JSON message', 'frame.malformed_json'],
      ['{"type":"shout"}', 'Unknown message type: shout', 'frame.unknown_type'],
      ['{"type":"__proto__"}', 'Unknown message type: __proto__', 'frame.unknown_type'],
      ['{"data":{}}', 'Unknown message type: None', 'frame.unknown_type'],
    ])('[ZC19] %s is an error, and the next message is fine', async (text, message, code) => {
      await using client = await open(newId())
      client.send(text)
      expect(await client.next()).toEqual(error(message, code))
      client.say('create_contract', CONTRACT)
      expect(await client.next()).toMatchObject(json('create_contract_response', { contract_id: 'c-1' }))
    })
    it('[ZC20] agents outlive their connections', async () => {
      const agent = newId()
      const first = await openCreated(agent, { executor: 'echo' })
      await first[Symbol.asyncDispose]()
      await using second = await open(agent)
      second.say('start_agent', { agent_id: agent })
      expect(await second.next()).toEqual(json('agent_started', { agent_id: agent }))
      second.say('execute', { agent_id: agent })
      expect(await second.next()).toMatchObject(json('execute_response', { status: 'processing' }))
    })
    it('[ZC21] two agents do not hear each other; two connections of one agent both do', async () => {
      const [one, other] = [newId(), newId()]
      await using client = await openCreated(one)
      await using stranger = await openCreated(other)
      await using second = await openCreated(one)
      client.say('start_agent', { agent_id: one })
      expect(await client.next()).toEqual(json('agent_started', { agent_id: one }))
      expect(await second.next()).toEqual(json('agent_started', { agent_id: one }))
      expect(await stranger.settle()).toEqual([])
    })
    it('[ZC22] what one connection created last is nothing to another', async () => {
      const [one, other] = [newId(), newId()]
      await using client = await openCreated(one)
      await using stranger = await openCreated(other)
      client.say('create_function', FUNCTION)
      expect(await client.next()).toMatchObject(json('create_function_response', { function: { agent_id: one } }))
      stranger.say('create_function', FUNCTION)
      expect(await stranger.next()).toMatchObject(json('create_function_response', { function: { agent_id: other } }))
      client.say('create_function', { ...FUNCTION, agent_id: other })
      expect(await client.next()).toMatchObject(json('create_function_response', { function: { agent_id: other } }))
    })
    it('[ZC23] connections of an agent tell each other JSON, text and bytes, and do not hear themselves', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      await using second = await openCreated(agent)
      client.say('message', { type: 'note', data: { n: 1 } })
      expect(await second.next()).toEqual(json('note', { n: 1 }))
      client.say('message', { text: 'hola ñ' })
      expect(await second.next()).toEqual({ kind: 'text', text: 'hola ñ' })
      client.send(Uint8Array.of(0, 255, 7))
      expect(await second.next()).toEqual({ kind: 'binary', bytes: [0, 255, 7] })
      second.send(new Uint8Array(0))
      expect(await client.next()).toEqual({ kind: 'binary', bytes: [] })
    })
    it('[ZC24] a flood of messages is answered in order, to the last one', async () => {
      const agent = newId()
      await using client = await openCreated(agent)
      for (let message = 0; message < 2_000; message += 1) client.say('create_contract', { ...CONTRACT, name: String(message) })
      for (let message = 0; message < 2_000; message += 1) {
        expect(await client.next()).toMatchObject(json('create_contract_response', { name: String(message) }))
      }
      expect(await client.settle()).toEqual([])
    })
    it('[ZC25] a message over 4 MiB ends the connection with 1009, one below does not', async () => {
      await using client = await openCreated(newId())
      client.say('message', 'x'.repeat(4 * 1024 * 1024 - 100))
      expect(await client.settle()).toEqual([])
      client.say('message', 'x'.repeat(4 * 1024 * 1024))
      expect(await client.closed).toBe(1009)
    })

    const whereNamed = (): void => {
      it('[ZC30] messages need no id', async () => {
        const agent = newId()
        await using client = await open(agent)
        client.say('create_agent', { contractId: 'c' })
        expect(await client.next()).toMatchObject(json('create_agent_response', { agent_id: agent }))
        client.say('start_agent')
        expect(await client.next()).toEqual(json('agent_started', { agent_id: agent }))
        client.say('execute', {})
        expect(await client.next()).toMatchObject(json('execute_response', { status: 'error', agent_id: agent }))
      })
      it('[ZC31] the connection hears its agent from the start', async () => {
        const agent = newId()
        await using listener = await open(agent)
        await using client = await openCreated(agent)
        client.say('start_agent', {})
        await client.next()
        expect(await listener.next()).toEqual(json('agent_started', { agent_id: agent }))
      })
      it.each(['agente 1/ñ', 'a.b', '🦤'])('[ZC32] an id may be %s', async (agent) => {
        await using client = await open(agent)
        client.say('add_agent', {})
        expect(await client.next()).toEqual(json('agent_added', { agent_id: agent }))
        client.say('remove_agent', {})
        expect(await client.next()).toEqual(json('agent_removed', { agent_id: agent }))
      })
    }

    const whereUnnamed = (): void => {
      it.each(['start_agent', 'stop_agent', 'remove_agent', 'add_agent'])('[ZC40] %s without an id is an error', async (type) => {
        await using client = await open('')
        client.say(type, {})
        expect(await client.next()).toEqual(error('agent_id is required', 'agent.invalid'))
      })
      it.each(['execute', 'configure_agent', 'message'])('[ZC41] %s before any agent is an error', async (type) => {
        await using client = await open('')
        client.say(type, {})
        expect(await client.next()).toEqual(error('No agent ID available. Please create an agent first.', 'agent.invalid'))
      })
      it('[ZC42] bytes before any agent are an error', async () => {
        await using client = await open('')
        client.send(Uint8Array.of(1))
        expect(await client.next()).toEqual(error('No agent ID available. Please create an agent first.', 'agent.invalid'))
      })
      it('[ZC43] create_agent without an id makes one, and the connection goes on with it', async () => {
        await using client = await open('')
        client.say('create_agent', AGENT)
        const answer = await client.next()
        expect(answer).toMatchObject(json('create_agent_response', { agent_id: expect.stringMatching(/^agent-[\w-]{16}$/) }))
        client.say('create_function', FUNCTION)
        expect(await client.next()).toMatchObject(json('create_function_response', { status: 'success' }))
        client.say('execute', {})
        expect(await client.next()).toMatchObject(json('execute_response', { status: 'error' }))
      })
    }
    if (isOwnPath) describe('where the URL names the agent', whereNamed)
    else describe('where the URL names none', whereUnnamed)
  })
}

/** As a health check asks: no page's headers, which `fetch` sends. */
function probe(url: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    }).on('error', reject)
  })
}
