/** The relay as a process: what it says when it starts, when it cannot, and how it leaves. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTestClient } from '#shared/testing/test-client'
import { writeSettingsHelp } from './config/settings-help.ts'
import { findTransports } from './transport/choose-transport.ts'

interface Running {
  readonly process: ChildProcess
  stdout: string
  stderr: string
  readonly exited: Promise<number | null>
  /** The address it printed. */
  readonly page: Promise<string>
}

let staticDir = ''
const running: ChildProcess[] = []

beforeAll(async () => {
  staticDir = await mkdtemp(join(tmpdir(), 'semblante-main-'))
  await writeFile(join(staticDir, 'index.html'), '<!doctype html>')
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})
afterAll(async () => {
  await rm(staticDir, { recursive: true })
})

function run(environment: Readonly<Record<string, string>> = {}, words: readonly string[] = []): Running {
  const child = spawn(process.execPath, ['--import', 'tsx', 'relay/main.ts', ...words], {
    env: { PATH: process.env.PATH, PORT: '0', STATIC_DIR: staticDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let found: (page: string) => void = () => {}
  const started: Running = {
    process: child,
    stdout: '',
    stderr: '',
    exited: once(child, 'close').then(() => child.exitCode),
    page: new Promise((resolve) => (found = resolve)),
  }
  child.stdout.on('data', (chunk: Buffer) => {
    started.stdout += chunk.toString('utf8')
    const page = /Page +(http:\S+)\//.exec(started.stdout)?.[1]
    if (page !== undefined) found(page)
  })
  child.stderr.on('data', (chunk: Buffer) => (started.stderr += chunk.toString('utf8')))
  return started
}

describe('the relay as a process', () => {
  it('[MN1] prints the page, how to get a token and how to listen; stops on SIGTERM with 0', async () => {
    const relay = run()
    const page = await relay.page
    expect(await (await fetch(`${page}/health`)).text()).toBe('OK')
    expect(relay.stdout).toContain(`curl -s -X POST ${page}/api/auth/acquire-session`)
    expect(relay.stdout).toContain('npm run tail')
    expect(relay.stdout).toMatch(/running on (uWebSockets\.js|ws)/)
    expect(relay.stdout).toContain(`${page}/admin`)
    const acquired: { data: { token: string } } = JSON.parse(
      await (await fetch(`${page}/api/auth/acquire-session`, { method: 'POST' })).text(),
    )
    const client = await openTestClient(`${page.replace('http', 'ws')}/relay?token=${acquired.data.token}`)
    await client.nextOf('welcome')
    // A terminal that goes away is no reason to stop.
    relay.process.kill('SIGHUP')
    expect(await (await fetch(`${page}/health`)).text()).toBe('OK')
    relay.process.kill('SIGTERM')
    await client.nextOf('draining')
    expect((await client.closed).code).toBe(1001)
    expect(await relay.exited).toBe(0)
    expect(relay.stderr).toBe('')
  })
  it('[MN2] exits at once on a second signal', async () => {
    const relay = run()
    const page = await relay.page
    const stuck = await openTestClient(`${page.replace('http', 'ws')}/relay`)
    stuck.socket.pause()
    relay.process.kill('SIGINT')
    relay.process.kill('SIGTERM')
    expect(await relay.exited).toBe(1)
    stuck.socket.terminate()
  })
  it('[MN3] a busy port: one sentence, exit 1', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    for (const transport of findTransports()) {
      const relay = run({ PORT: port, RELAY_TRANSPORT: transport })
      expect(await relay.exited).toBe(1)
      expect(relay.stderr).toBe(`Port ${port} is in use by another program: stop it, or choose another one with PORT=8081.\n`)
      expect(relay.stdout).toBe('')
    }
    server.close()
  })
  it('[MN4] no built page: one sentence, exit 1', async () => {
    const relay = run({ STATIC_DIR: join(staticDir, 'nowhere') })
    expect(await relay.exited).toBe(1)
    expect(relay.stderr).toMatch(/^There is no built page in .*nowhere: .*\n$/)
  })
  it('[MN5] wrong settings: all of them, from the environment and the file, without a secret; exit 1', async () => {
    const file = join(staticDir, 'relay.json')
    await writeFile(file, JSON.stringify({ PROT: 1, ADMIN_TOKEN: 'hunter2', MAX_CONNECTIONS: 0 }))
    const relay = run({ PORT: 'http', HOST: '0.0.0.0', LOG_LEVEL: 'loud', CONFIG_FILE: file })
    expect(await relay.exited).toBe(1)
    expect(relay.stderr.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'The settings',
      '- "PROT"',
      '- PORT',
      '- ADMIN_TOKEN',
      '- MAX_CONNECTIONS',
      '- LOG_LEVEL',
      '',
    ])
    expect(relay.stderr).not.toContain('hunter2')
  })
  it('[MN6] open to the network by accident: one sentence, exit 1', async () => {
    const relay = run({ HOST: '0.0.0.0' })
    expect(await relay.exited).toBe(1)
    expect(relay.stderr).toMatch(/^ANONYMOUS_ROLES must be set .*\n$/)
  })
  it('[MN7] --help prints every setting and ends well', async () => {
    const relay = run({ PORT: 'http' }, ['--help'])
    expect(await relay.exited).toBe(0)
    expect(relay.stdout).toBe(writeSettingsHelp())
    expect(relay.stderr).toBe('')
  })
  it('[MN8] takes no arguments: one sentence, exit 1', async () => {
    const relay = run({}, ['--port=81'])
    expect(await relay.exited).toBe(1)
    expect(relay.stderr).toMatch(/^The relay takes its settings from the environment .*--help.*\n$/)
  })
  it('[MN9] makes an admin token for this run, prints it once, and it opens what is the admin’s; never in the log', async () => {
    const relay = run({ LOG_LEVEL: 'debug' })
    const page = await relay.page
    const token = /\n {2}Admin token +([\w-]{43})\n/.exec(relay.stdout)?.[1] ?? 'none'
    const client = await openTestClient(`${page.replace('http', 'ws')}/relay?token=${token}`)
    expect((await client.nextOf('welcome')).roles).toEqual(['admin'])
    client.socket.terminate()
    relay.process.kill('SIGTERM')
    expect(await relay.exited).toBe(0)
    expect(relay.stdout.split(token)).toHaveLength(2)
    expect(relay.stderr).toContain('relay.started')
    expect(relay.stderr).not.toContain(token)
  })
  it.each<[Readonly<Record<string, string>>, RegExp]>([
    [{ STORAGE_FILE: '/dev/null/history.db' }, /^The history file \/dev\/null\/history\.db \(STORAGE_FILE\) cannot be opened: /],
    [{ TLS_CERT: 'nowhere.pem', TLS_KEY: 'nowhere.pem' }, /^The certificate \(TLS_CERT, .*nowhere\.pem\) or its key .* cannot be used: /],
    [{ POLICY_FILE: 'package.json' }, /^The policy file .*package\.json \(POLICY_FILE\) has mistakes:\n- /],
    [{ JWKS: 'nowhere.json', JWT_ALGORITHM: 'ES256' }, /^The keys for tokens \(JWKS\) cannot be used: /],
    [{ EMOTION_MODEL: 'nowhere' }, /^The network that EMOTION_MODEL names cannot be used: /],
  ])('[MN12] does not start half: %j', async (environment, sentence) => {
    const relay = run({ LOG_LEVEL: 'silent', ...environment })
    expect(await relay.exited).toBe(1)
    expect(relay.stderr).toMatch(sentence)
    expect(relay.stdout).toBe('')
  })
  it('[MN13] takes its settings from the file; a configured admin token works and is not printed', async () => {
    const token = 'configured-by-the-operator'
    const file = join(staticDir, 'relay.json')
    await writeFile(file, JSON.stringify({ LOG_LEVEL: 'debug', ANONYMOUS_ROLES: [], ADMIN_TOKEN: token }))
    const relay = run({ CONFIG_FILE: file })
    const client = await openTestClient(`${(await relay.page).replace('http', 'ws')}/relay?token=${token}`)
    expect((await client.nextOf('welcome')).roles).toEqual(['admin'])
    client.socket.terminate()
    expect(relay.stdout).toContain('ANONYMOUS_ROLES is empty')
    expect(relay.stderr).toContain('relay.started')
    expect(relay.stdout + relay.stderr).not.toContain(token)
  })
})
