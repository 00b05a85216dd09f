/**
 * The whole relay as an operator starts it: token checked, rights, limits, catalog guards, sequence, history in memory. Only the limits that
 * stand against floods are raised, because this is one.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Access, Contestant, RunningServer } from '../contestant.ts'
import { findFreePort } from '../../../scripts/free-port.ts'
import { SERVER_ARGUMENTS, startServer } from '../server-process.ts'
import { encodeText, upgradeStep, websocketFraming } from '../wire/websocket-wire.ts'
import { PAYLOAD, type Step, type Wire } from '../wire/wire.ts'

const TOPIC = 'app/bench'

/** One publisher, one address and one token stand for thousands. */
const RAISED_LIMITS = {
  MAX_CONNECTIONS: '50000',
  CONNECTIONS_PER_ADDRESS: '50000',
  CONNECTIONS_PER_USER: '50000',
  MESSAGES_PER_SECOND: '1000000',
  MESSAGE_BURST: '1000000',
  BYTES_PER_SECOND: '1000000000',
  TOPIC_PUBLISHES_PER_SECOND: '1000000',
  NEW_SESSIONS_PER_MINUTE: '1000',
  ANONYMOUS_ROLES: 'viewer,station',
}

export const semblante: Contestant = {
  name: 'semblante',
  title: '**the whole relay**',
  echo: '`ping` to `pong`, about 90 bytes',
  start: (nodeArguments) => startRelay(nodeArguments, {}),
  wire: (access) => createWire(access, pingEcho),
}

export const semblanteTopic: Contestant = {
  ...semblante,
  name: 'semblante-topic',
  title: '**the whole relay**, own topic',
  echo: 'published on a topic that only the publisher hears',
  takesPartIn: ['echo'],
  wire: (access) => createWire(access, topicEcho),
}

export const semblanteWs: Contestant = {
  ...semblante,
  name: 'semblante-ws',
  title: 'the whole relay on `ws`',
  start: (nodeArguments) => startRelay(nodeArguments, { RELAY_TRANSPORT: 'ws' }),
}

async function startRelay(nodeArguments: readonly string[], environment: Readonly<Record<string, string>>): Promise<RunningServer> {
  const port = await findFreePort()
  // The page plays no part, and the benchmark should not need a build.
  const page = await mkdtemp(join(tmpdir(), 'bench-page-'))
  await writeFile(join(page, 'index.html'), '<!doctype html><title>bench</title>')
  const server = await startServer({
    command: process.execPath,
    commandArguments: [...SERVER_ARGUMENTS, ...nodeArguments, ...extraNodeArguments(), process.env.BENCH_RELAY_MAIN ?? 'relay/main.ts'],
    port,
    collectsOnSignal: true,
    environment: { ...RAISED_LIMITS, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', STATIC_DIR: page, ...environment },
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(page, { recursive: true, force: true })
  }
  try {
    return { ...server, access: { port, token: await acquireToken(port) }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** For a profile: `BENCH_NODE_ARGUMENTS="--cpu-prof --cpu-prof-dir=/tmp/profile"`. */
function extraNodeArguments(): readonly string[] {
  return (process.env.BENCH_NODE_ARGUMENTS ?? '').split(' ').filter((word) => word !== '')
}

async function acquireToken(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/api/auth/acquire-session`, { method: 'POST' })
  const body = await response.text()
  const token = /"token":"([^"]+)"/.exec(body)?.[1]
  if (token === undefined) throw new Error(`The relay gave no token: ${body}`)
  return token
}

type EchoOf = (open: readonly Step[], connection: number) => ReturnType<Wire['echo']>

function createWire({ port, token }: Access, echo: EchoOf): Wire {
  const headers = { 'Sec-WebSocket-Protocol': 'semblante.v1' }
  const path = `/relay?token=${encodeURIComponent(token)}`
  const open: readonly Step[] = [upgradeStep({ port, path, headers, greeting: /"type":"welcome"[^]*\}\}/ })]
  return {
    framing: websocketFraming,
    open,
    subscribe: [...open, subscribeStep(TOPIC)],
    publish: encodeText(JSON.stringify({ type: 'publish', topic: TOPIC, data: PAYLOAD })),
    echo: (connection) => echo(open, connection),
  }
}

function subscribeStep(topic: string): Step {
  return { send: encodeText(JSON.stringify({ type: 'subscribe', id: 's', topic })), until: /"type":"subscribed"[^]*\}$/ }
}

function pingEcho(open: readonly Step[]): ReturnType<Wire['echo']> {
  return { open, request: encodeText(JSON.stringify({ type: 'ping', id: 'b'.repeat(40) })) }
}

function topicEcho(open: readonly Step[], connection: number): ReturnType<Wire['echo']> {
  const topic = `app/echo/${String(connection)}`
  return { open: [...open, subscribeStep(topic)], request: encodeText(JSON.stringify({ type: 'publish', topic, data: PAYLOAD })) }
}
