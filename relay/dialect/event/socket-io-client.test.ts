/** The real Socket.IO client, version 4, in each of its ways to connect, on each wire. */
import { connect as connectTcp, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { expectRefusal, openTestClient } from '#shared/testing/test-client'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { findTransports } from '../../transport/choose-transport.ts'
import { TLS_FILES } from '../../transport/transport-contract/contract-kit.ts'
import { MODES, openClient, upgraded, type Client } from './testing/socket-io-client.ts'

const urlOf = (relay: TestRelay): string => `http://127.0.0.1:${String(relay.port)}`

describe.each(findTransports())('socket.io-client on %s', (transport) => {
  const start = (settings: Record<string, string> = {}): Promise<TestRelay> =>
    startTestRelay({ settings: { RELAY_TRANSPORT: transport, ...settings } })

  describe.each(MODES)('%s', (_name, transports) => {
    it('[SC1] connects with auth.token, is welcomed, asks and is answered', async () => {
      await using relay = await start()
      await using client = await openClient(urlOf(relay), { auth: { token: await relay.acquireToken() }, transports: [...transports] })
      expect(await client.next('connected')).toMatchObject({ message: 'Connected to YektaYar server', isLoggedIn: false })
      client.socket.emit('ping')
      expect(await client.next('pong')).toEqual({ timestamp: expect.any(String) })
      expect(await client.ask('echo', { message: 'hello' })).toMatchObject({ received: { message: 'hello' } })
      const bytes = Buffer.from('bytes')
      expect(await client.ask('echo', { bytes })).toMatchObject({ received: { bytes } })
    })
    it('[SC2] connects with a token in the query', async () => {
      await using relay = await start()
      const token = await relay.acquireToken()
      await using client = await openClient(`${urlOf(relay)}?token=${token}`, { transports: [...transports] })
      expect(await client.ask('status', {})).toMatchObject({ connection: { sessionToken: `***${token.slice(-4)}` } })
    })
    it.each([
      ['no token', '', {}, 'Authentication token required'],
      ['a wrong token', '', { token: 'wrong' }, 'Invalid or expired session token'],
      ['a wrong token in the query', '?token=wrong', {}, 'Invalid or expired session token'],
    ])('[SC3] with %s hears connect_error', async (_case, query, auth, message) => {
      await using relay = await start()
      await expect(openClient(`${urlOf(relay)}/${query}`, { auth, transports: [...transports] })).rejects.toThrow(message)
    })
    it('[SC4] leaves nothing behind when it leaves', async () => {
      await using relay = await start()
      const token = await relay.acquireToken()
      await using client = await openClient(urlOf(relay), { auth: { token }, transports: [...transports] })
      client.socket.disconnect()
      while (relay.relay.measure().connections > 0) await nextTurn()
    })
    it('[SC5] learns that the relay stops', async () => {
      const relay = await start()
      const client = await openClient(urlOf(relay), { auth: { token: await relay.acquireToken() }, transports: [...transports] })
      const closed = new Promise<string>((resolve) => client.socket.once('disconnect', resolve))
      if (transports[0] === 'polling' && transports.length > 1) await upgraded(client)
      await relay.relay.stop()
      // Who polls may be between two polls when the port closes, and then finds nobody.
      expect(['transport close', 'transport error']).toContain(await closed)
      if (client.socket.io.engine.transport.name === 'websocket') {
        expect(client.all('draining')).toEqual([{ reconnectAfterMs: expect.any(Number) }])
      }
    })
    it('[SC6] works through TLS', async () => {
      const token = 'a-token-of-the-operator-of-this-relay'
      await using relay = await start({ TLS_CERT: TLS_FILES.certFile, TLS_KEY: TLS_FILES.keyFile, ADMIN_TOKEN: token })
      const options = { auth: { token }, transports: [...transports], rejectUnauthorized: false }
      await using client = await openClient(`https://127.0.0.1:${String(relay.port)}`, options)
      expect(await client.next('connected')).toMatchObject({ isLoggedIn: true })
      expect(await client.ask('echo', 'hello')).toMatchObject({ received: 'hello' })
    })
  })

  it.each([
    ['one', { path: '/ws' }],
    ['one', { path: '/ws', transports: ['websocket'] }],
    ['one', { addTrailingSlash: false }],
    ['own', { path: '/ws' }],
    ['own', { path: '/anything', transports: ['websocket'] }],
  ])('[SC9] is taken at other addresses of YektaYar, on the %s port: %j', async (port, options) => {
    await using relay = await start({ COMPAT_PORTS: '0:event', COMPAT_AUTH: 'token' })
    const number = port === 'one' ? relay.port : relay.compatPorts[0]?.port
    const auth = { token: await relay.acquireToken() }
    await using client = await openClient(`http://127.0.0.1:${String(number)}`, { auth, ...options })
    expect(await client.next('connected')).toMatchObject({ message: 'Connected to YektaYar server' })
  })
  it('[SC10] lets pages of allowed origins poll and read the answer, with credentials too, and refuses others, on both protocols', async () => {
    await using relay = await start({ ALLOWED_ORIGINS: 'https://app.example' })
    const url = `${urlOf(relay)}/socket.io/?EIO=4&transport=polling`
    const allowed = await fetch(url, { headers: { origin: 'https://app.example' } })
    expect([
      allowed.status,
      allowed.headers.get('access-control-allow-origin'),
      allowed.headers.get('access-control-allow-credentials'),
    ]).toEqual([200, 'https://app.example', 'true'])
    const denied = await fetch(url, { headers: { origin: 'https://evil.example' } })
    expect([denied.status, denied.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const socket = `${urlOf(relay).replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
    expect(await expectRefusal(socket, { headers: { origin: 'https://evil.example' } })).toMatchObject({ status: 403 })
  })
  it('[SC7] loses and doubles nothing while it upgrades', async () => {
    await using relay = await start()
    const token = await relay.acquireToken()
    await using publisher = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay?token=${token}`)
    await publisher.nextOf('welcome')
    const enough = new AbortController()
    const publishing = (async () => {
      for (let sent = 0; !enough.signal.aborted; sent += 1) {
        publisher.send({ type: 'publish', id: String(sent), topic: 'app/upgrade', data: sent })
        await publisher.nextOf('published')
      }
    })()
    for (let round = 0; round < 5; round += 1) {
      await using client = await openClient(urlOf(relay), { auth: { token }, transports: ['polling', 'websocket'] })
      await client.ask('subscribe', { topic: 'app/upgrade' })
      await upgraded(client)
      const count = client.all('message').length
      while (client.all('message').length < count + 20) await client.next('message')
      expectUnbroken(client)
    }
    enough.abort()
    await publishing
  })
  it('[SC8] polls on, with nothing lost, when its WebSocket is killed in the middle of the upgrade', async () => {
    await using relay = await start()
    const token = await relay.acquireToken()
    await using proxy = await startKillingProxy(relay.port)
    await using client = await openClient(`http://127.0.0.1:${String(proxy.port)}`, {
      auth: { token },
      transports: ['polling', 'websocket'],
    })
    await client.ask('subscribe', { topic: 'app/killed' })
    await proxy.killed
    for (let sent = 0; sent < 20; sent += 1) await client.ask('publish', { topic: 'app/killed', data: sent })
    expect(client.socket.io.engine.transport.name).toBe('polling')
    expect(client.all('message').map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })
})

/** Every number from the first to the last, once. */
function expectUnbroken(client: Client): void {
  const seqs = client.all('message').map(({ seq }) => Number(seq))
  expect(seqs).toEqual(Array.from(seqs, (_, index) => (seqs[0] ?? 0) + index))
}

/** Passes everything on, until it sees the answer to a probe: that connection it cuts. */
async function startKillingProxy(port: number): Promise<AsyncDisposable & { readonly port: number; readonly killed: Promise<void> }> {
  let tell: () => void = () => undefined
  const killed = new Promise<void>((resolve) => (tell = resolve))
  const sockets = new Set<TcpSocket>()
  const server: Server = createServer((near) => {
    const far = connectTcp({ host: '127.0.0.1', port })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    near.on('data', (bytes) => far.write(bytes))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    far.on('data', (bytes) => {
      if (bytes.includes('3probe')) {
        near.destroy()
        far.destroy()
        tell()
      } else near.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    killed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
