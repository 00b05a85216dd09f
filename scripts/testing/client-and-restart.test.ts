/**
 * The typed client while the relay's process is killed and started again. One effect per message is promised within one life of the relay,
 * and across a restart only where it keeps a history file and the token stands for the same subject; what else holds is shown here too.
 */
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createRelayClient, type RelayClient } from '#shared/client/relay-client'
import { RELAY_PATH } from '#shared/protocol/protocol'
import { openTestClient } from '#shared/testing/test-client'
import { openProgram } from './child-program.ts'
import { findFreePort } from './real-relay.ts'

const SECRET = 'a secret of thirty-two characters or more'
/** Three starts of the relay, on a busy machine. */
const TEST_LIMIT_MS = 120_000

interface RelayLife extends AsyncDisposable {
  kill(): Promise<void>
}

/** Resolves once it has said that it runs. */
async function startRelay(port: number, settings: readonly string[] = []): Promise<RelayLife> {
  const words = [`PORT=${String(port)}`, 'STATIC_DIR=web', 'LOG_LEVEL=error', `JWT_SECRET=${SECRET}`, ...settings]
  const program = openProgram('env', [...words, process.execPath, '--import', 'tsx', 'relay/main.ts'])
  for (;;) if ((await program.nextLine()).includes('is running')) break
  return {
    async kill() {
      program.signal('SIGKILL')
      await program.ended
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** A token that stands for the same subject before and after a restart. */
function signToken(subject: string): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = { sub: subject, roles: ['station'], exp: Math.floor(Date.now() / 1000) + 3600 }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}

function openClient(port: number, subject: string): RelayClient & Disposable {
  const client = createRelayClient({
    url: `ws://127.0.0.1:${String(port)}${RELAY_PATH}`,
    webSocket: WebSocket,
    acquireToken: () => Promise.resolve(signToken(subject)),
  })
  client.start()
  return Object.assign(client, {
    [Symbol.dispose]() {
      client.stop()
    },
  })
}

/** All that the relay keeps of a topic, as somebody hears it who has never seen it. */
async function readHistory(port: number, topic: string, last: number): Promise<number[]> {
  await using socket = await openTestClient(`ws://127.0.0.1:${String(port)}${RELAY_PATH}`)
  socket.send({ type: 'hello', version: 1, token: signToken('auditor') })
  await socket.nextOf('welcome')
  socket.send({ type: 'subscribe', topic, resume: [] })
  await socket.next(({ type, data }) => type === 'message' && data === last)
  return socket.received.filter(({ type }) => type === 'message').map(({ data }) => Number(data))
}

it(
  '[RS1] with a history file every message has exactly one effect, though the relay is killed while they are sent',
  { timeout: TEST_LIMIT_MS },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'semblante-restart-'))
    try {
      const port = await findFreePort()
      const storage = [`STORAGE_FILE=${join(folder, 'history.db')}`]
      await using first = await startRelay(port, storage)
      using publisher = openClient(port, 'warehouse')
      const values = Array.from({ length: 60 }, (_, index) => index + 1)
      let answered = 0
      const outcomes = values.map(async (value) => {
        const outcome = await publisher.publishAcked('order/pick', value, { deadlineMs: TEST_LIMIT_MS })
        answered += 1
        if (answered === 10) await first.kill()
        return outcome
      })
      await outcomes[9]
      await using _second = await startRelay(port, storage)
      expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(values.map(() => 'published'))
      const kept = await readHistory(port, 'order/pick', 60)
      expect([...kept].sort((one, other) => one - other)).toEqual(values)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)

it(
  '[RS2] without one the reader is told of the reset, and what was not answered goes out again to the new relay',
  { timeout: TEST_LIMIT_MS },
  async () => {
    const port = await findFreePort()
    await using first = await startRelay(port)
    using reader = openClient(port, 'reader')
    using publisher = openClient(port, 'publisher')
    const heard: unknown[] = []
    const waiters = new Map<unknown, () => void>()
    const until = (data: unknown): Promise<void> => new Promise((resolve) => waiters.set(data, resolve))
    const [before, after] = [until('before'), until('after')]
    reader.subscribe(
      'app/#',
      ({ data }) => {
        heard.push(data)
        waiters.get(data)?.()
      },
      ({ kind, topic }) => heard.push([kind, topic]),
    )
    await stateIs(reader, 'open')
    await reader.request({ to: 'relay', method: 'time' })
    expect(await publisher.publishAcked('app/log', 'before')).toMatchObject({ kind: 'published' })
    await before
    await first.kill()
    await stateIs(publisher, 'waiting')
    expect(publisher.publish('app/log', 'after')).toBe('held')
    await using _second = await startRelay(port)
    await after
    expect(heard).toEqual(['before', ['reset', 'app/log'], 'after'])
  },
)

function stateIs(client: RelayClient, name: RelayClient['state']['name']): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (client.state.name === name) resolve()
    }
    client.onState(look)
    look()
  })
}
