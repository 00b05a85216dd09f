/** The machines of a whole relay: from the file to the record, over real sockets and as a process that is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openTestClient, type ReceivedMessage, type TestClient } from '#shared/testing/test-client'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from './ops/system-clock.ts'
import { createDeltaAsSimulator } from './plc/delta-as/delta-as-simulator.ts'
import { builtInProfile } from './plc/profiles/status-profile.ts'
import { createSimulatedCarousel } from './plc/simulated/simulated-carousel.ts'
import { startTestRelay, tryTestRelay } from './testing/test-relay.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'semblante-bridge-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
const ADMIN_TOKEN = 'an-administrator-of-the-relay'
const SECRET = 'a secret that is long enough for HS256'

let files = 0
const fileWith = (text: string): string => {
  const file = join(FOLDER, `file-${String((files += 1))}`)
  writeFileSync(file, text)
  return file
}
const newFile = (): string => join(FOLDER, `audit-${String((files += 1))}.jsonl`)
const machine = (id: string, more: object = {}): object => ({
  ...{ id, name: id.toUpperCase(), driver: 'simulated', positions: 10, options: { wandering: 'never' } },
  ...more,
})
const recordOf = (file: string): ReceivedMessage[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): ReceivedMessage => JSON.parse(line))

async function connect(port: number, token: string): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(port)}/relay?token=${token}`)
  await client.nextOf('welcome')
  return client
}
async function readStatus(client: TestClient, id: string): Promise<ReceivedMessage> {
  client.send({ type: 'subscribe', topic: `machine/${id}/status` })
  const { data } = await client.next(({ type, topic }) => type === 'message' && topic === `machine/${id}/status`)
  return typeof data === 'object' && data !== null ? { ...data } : {}
}
/** A journey of several buckets, so that there is a middle. */
const farFrom = ({ position }: ReceivedMessage): number => (Number(position) + 4) % 10
async function startMoving(client: TestClient, id: string): Promise<number> {
  const target = farFrom(await readStatus(client, id))
  client.send({ type: 'request', id: 'm', to: `machine/${id}`, method: 'move', data: { position: target } })
  expect(await client.next((message) => message.id === 'm')).toMatchObject({ type: 'replied', data: { state: 'running' } })
  return target
}

describe('machines of a relay', () => {
  it('[MB1] what the policy refuses never reaches the machine and is on the record: who, what, from where', async () => {
    const file = newFile()
    await using relay = await startTestRelay({ settings: { AUDIT_FILE: file } })
    await using station = await connect(relay.port, await relay.acquireToken())
    station.send({ type: 'request', id: '1', to: 'machine/machine_1', method: 'move', data: { position: 3 } })
    expect(await station.next(({ id }) => id === '1')).toMatchObject({ type: 'error', error: { code: 'auth.forbidden' } })
    const list = { type: 'request', id: '2', to: 'machines', method: 'list' }
    station.send(list)
    expect(await station.next(({ id }) => id === '2')).toMatchObject({
      type: 'replied',
      data: { machines: [{ name: 'Carrusel Principal' }, {}] },
    })
    while (readFileSync(file, 'utf8') === '') await pause(5)
    expect(recordOf(file)).toMatchObject([
      { n: 1, machine: 'machine_1', name: 'move', argument: 3, state: 'refused', error: 'auth.forbidden', remoteAddress: '127.0.0.1' },
    ])
  })
  it('[MB2] a token that expires in the middle ends the connection and not the journey; another stops it', async () => {
    const file = newFile()
    const machines = fileWith(JSON.stringify({ machines: [machine('a')] }))
    const settings = { AUDIT_FILE: file, MACHINES_FILE: machines, JWT_SECRET: SECRET, JWT_CLOCK_SKEW_SECONDS: '0', ADMIN_TOKEN }
    await using relay = await startTestRelay({ settings })
    const token = await new SignJWT({ roles: ['operator'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ana')
      .setExpirationTime(Math.floor(Date.now() / 1000) + 4)
      .sign(new TextEncoder().encode(SECRET))
    await using tablet = await connect(relay.port, token)
    await startMoving(tablet, 'a')
    await tablet.closed
    await using admin = await connect(relay.port, ADMIN_TOKEN)
    expect(await readStatus(admin, 'a')).toMatchObject({ isMoving: true, connection: 'busy', command: { by: 'ana', name: 'move' } })
    admin.send({ type: 'request', id: 's', to: 'machine/a', method: 'stop' })
    expect(await admin.next(({ id }) => id === 's')).toMatchObject({
      type: 'replied',
      data: { state: 'done', status: { isMoving: false } },
    })
    expect(recordOf(file).map(({ name, state, by }) => [name, state, by])).toEqual(
      expect.arrayContaining([
        ['move', 'accepted', 'ana'],
        ['move', 'superseded', 'ana'],
        ['stop', 'accepted', 'token-admin'],
      ]),
    )
  }, 30_000)
  it('[MB3] a file with mistakes, or a record that cannot be kept, keeps the relay from starting, and everything wrong is named', async () => {
    const wrong = fileWith(JSON.stringify({ machines: [machine('a', { positions: 0 }), machine('a b')] }))
    expect((await tryTestRelay({ settings: { MACHINES_FILE: wrong } })).started).toMatchObject({
      ...{ ok: false, problem: 'machines_wrong' },
      details: [expect.stringContaining('machines[0].positions'), expect.stringContaining('machines[1].id')],
    })
    expect((await tryTestRelay({ settings: { MACHINES_FILE: join(FOLDER, 'none') } })).started).toMatchObject({ problem: 'machines_wrong' })
    const nowhere = { AUDIT_FILE: join(FOLDER, 'none', 'audit') }
    expect((await tryTestRelay({ settings: nowhere })).started).toMatchObject({ ok: false, problem: 'audit_unopenable' })
  })
  it('[MB4] read again it changes what has changed; with mistakes nothing', async () => {
    const file = fileWith(JSON.stringify({ machines: [machine('a'), machine('b')] }))
    await using relay = await startTestRelay({ settings: { MACHINES_FILE: file } })
    await using viewer = await connect(relay.port, await relay.acquireToken())
    const list = async (id: string): Promise<unknown> => {
      viewer.send({ type: 'request', id, to: 'machines', method: 'list' })
      return (await viewer.next((message) => message.id === id)).data
    }
    writeFileSync(file, JSON.stringify({ machines: [machine('b', { positions: 20 }), machine('c')] }))
    await relay.relay.reload()
    expect(await list('1')).toMatchObject({ machines: [{ machine: 'b', positions: 20 }, { machine: 'c' }] })
    writeFileSync(file, '{')
    await relay.relay.reload()
    expect(await list('2')).toMatchObject({ machines: [{ machine: 'b' }, { machine: 'c' }] })
    expect(relay.log.entries.filter(({ event }) => event === 'machines.file_wrong')).toHaveLength(1)
    expect(await readStatus(viewer, 'a')).toMatchObject({ quality: 'bad', reason: 'It was taken out of the configuration.' })
  })
  it('[MB5] killed in the middle of a move: started again it reads the machine, says that nobody knows how it ended, and sends nothing', async () => {
    const file = newFile()
    const settings = { MACHINES_FILE: fileWith(JSON.stringify({ machines: [machine('a')] })), AUDIT_FILE: file, ADMIN_TOKEN }
    const first = await openProcess(settings)
    const client = await connect(first.port, ADMIN_TOKEN)
    const target = await startMoving(client, 'a')
    await first.kill()
    expect(recordOf(file).map(({ state }) => state)).toEqual(['accepted'])
    const second = await openProcess(settings)
    await using again = await connect(second.port, ADMIN_TOKEN)
    const status = await readStatus(again, 'a')
    expect(status).toMatchObject({ quality: 'good', isMoving: false })
    again.send({ type: 'subscribe', topic: 'machine/a/command', resume: [] })
    const told = await again.next(({ type, topic }) => type === 'message' && topic === 'machine/a/command')
    expect(told.data).toMatchObject({ state: 'unknown', name: 'move', argument: target, by: 'token-admin' })
    await second.kill()
    expect(recordOf(file).map(({ state, n }) => [n, state])).toEqual([
      [1, 'accepted'],
      [2, 'unknown'],
    ])
  }, 60_000)
  it("[MB6] carousel_api's own config_multi_plc.json and a Delta PLC that restarts in the middle of a move: sent once, seen to its end", async () => {
    const clock = createSystemClock()
    const carousel = createSimulatedCarousel({
      ...{ clock, random: createSeededRandom(5), positions: 24, profile: builtInProfile('delta_as'), wandering: 'never' },
    })
    await carousel.start()
    const plc = createDeltaAsSimulator({ machine: carousel, answerLength: 200, refusalMs: 300, clock })
    const port = await plc.start({ host: '127.0.0.1', port: 0 })
    const config = {
      api_config: { port: 5000, debug: false, allowed_origins: 'http://localhost:3000' },
      plc_machines: [{ id: 'machine_1', name: 'Carrusel Principal', ip: '127.0.0.1', port, simulator: false, description: 'Planta 1' }],
      logging: { level: 'INFO', max_file_size_mb: 10, backup_count: 5, connection_log_enabled: true },
    }
    const relay = await startTestRelay({ settings: { MACHINES_FILE: fileWith(JSON.stringify(config)), ADMIN_TOKEN } })
    await using admin = await connect(relay.port, ADMIN_TOKEN)
    admin.send({ type: 'subscribe', topic: 'machine/machine_1/+' })
    const good = await admin.next(({ topic, data }) => topic === 'machine/machine_1/status' && qualityOf(data) === 'good')
    const target = (Number(positionOf(good.data)) + 1) % 24
    admin.send({ type: 'request', id: 'm', to: 'machine/machine_1', method: 'move', data: { position: target } })
    expect(await admin.next(({ id }) => id === 'm')).toMatchObject({ data: { state: 'running', status: { raw: 23, isMoving: true } } })
    plc.restart()
    await admin.next(({ topic, data }) => topic === 'machine/machine_1/status' && qualityOf(data) === 'stale')
    const end = await admin.next(
      ({ topic, data }) => topic === 'machine/machine_1/command' && stateOf(data) !== 'accepted' && stateOf(data) !== 'running',
    )
    expect(end.data).toMatchObject({ state: 'done', argument: target, position: target })
    expect(carousel.controls.commands()).toEqual([{ kind: 'move', position: target }])
    await relay[Symbol.asyncDispose]()
    await plc.stop()
  }, 60_000)
})

const fieldOf = (data: unknown, name: string): unknown =>
  typeof data === 'object' && data !== null ? Object.entries(data).find(([key]) => key === name)?.[1] : undefined
const qualityOf = (data: unknown): unknown => fieldOf(data, 'quality')
const positionOf = (data: unknown): unknown => fieldOf(data, 'position')
const stateOf = (data: unknown): unknown => fieldOf(data, 'state')

interface RelayProcess {
  readonly port: number
  /** kill -9. */
  kill(): Promise<void>
}

async function openProcess(settings: Readonly<Record<string, string>>): Promise<RelayProcess> {
  const staticDir = mkdtempSync(join(FOLDER, 'page-'))
  writeFileSync(join(staticDir, 'index.html'), '<!doctype html>')
  const child = spawn(process.execPath, ['--import', 'tsx', 'relay/main.ts'], {
    env: { PATH: process.env.PATH, PORT: '0', STATIC_DIR: staticDir, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  children.push(child)
  const closed = once(child, 'close')
  let text = ''
  const port = await new Promise<number>((resolve, reject) => {
    child.once('close', () => reject(new Error(`the relay ended: ${text}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const found = /Page +http:\/\/[^:]+:(\d+)\//.exec(text)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  return {
    port,
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
