/**
 * Texts between relays over NATS: the only place that names its client, which is optional and loaded when it is wanted. Connects again by
 * itself, so that nothing piles up inside the client while the broker is away.
 */
import type { ConnectionOptions, Msg, NatsConnection } from '@nats-io/transport-node'
import type { Clock, Random } from '../ports.ts'
import type { Courier, CourierListener, Sending } from './courier.ts'

interface Options {
  /** Addresses like `nats://10.0.0.1:4222`, separated by commas. */
  readonly servers: string
  readonly token: string | undefined
  /** First step of every subject: relays with the same one are one cluster. */
  readonly prefix: string
  readonly clock: Clock
  readonly random: Random
}

type Connect = (options: ConnectionOptions) => Promise<NatsConnection>

const CONNECT_TIMEOUT_MS = 5_000
/** A broker that answers no ping for two of these is lost: half-open connections are found. */
const PING_MS = 5_000
const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 5_000
const PROBLEM_LENGTH = 200
/** Version of what the relays say to each other: others are not heard. */
const VERSION = 'v1'
const ID_BYTES = 9

/** @returns undefined where the client is not installed. */
export async function loadNatsCourier(options: Options): Promise<Courier | undefined> {
  try {
    const { connect } = await import('@nats-io/transport-node')
    return createNatsCourier(connect, options)
  } catch {
    return undefined
  }
}

function createNatsCourier(connect: Connect, { servers, token, prefix, clock, random }: Options): Courier {
  const relayId = random.token(ID_BYTES)
  const root = `${prefix}.${VERSION}`
  const urls = servers.split(',').map((url) => url.trim())
  /** Each is told once: all arrived, or the connection broke. */
  const flushes = new Set<(isDone: boolean) => void>()
  let listener: CourierListener | undefined
  let connection: NatsConnection | undefined
  let problem: string | undefined
  let retryMs = FIRST_RETRY_MS
  let cancelRetry = (): void => undefined
  let stopping: Promise<void> | undefined

  function onMessage(error: Error | null, message: Msg): void {
    const from = message.subject.slice(message.subject.lastIndexOf('.') + 1)
    if (error === null && from !== relayId) listener?.onText(from, message.string())
  }
  function onLost(found: string): void {
    connection = undefined
    for (const tell of flushes) tell(false)
    flushes.clear()
    if (stopping !== undefined) return
    if (found !== problem) listener?.onLost(found)
    problem = found
    const delayMs = retryMs * (0.75 + random.fraction() / 2)
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)
    cancelRetry = clock.after(delayMs, () => void open())
  }
  async function open(): Promise<void> {
    try {
      const opened = await connect({
        servers: urls,
        ...(token === undefined ? {} : { token }),
        ...(urls.some((url) => url.startsWith('tls://')) ? { tls: {} } : {}),
        ...{ name: `semblante ${relayId}`, noEcho: true, reconnect: false, timeout: CONNECT_TIMEOUT_MS, pingInterval: PING_MS },
      })
      if (stopping === undefined) await begin(opened)
      else await opened.close()
    } catch (error) {
      onLost(describe(error))
    }
  }
  async function begin(opened: NatsConnection): Promise<void> {
    opened.subscribe(`${root}.all.*`, { callback: onMessage })
    opened.subscribe(`${root}.one.${relayId}.*`, { callback: onMessage })
    await untilFlushed(opened)
    if (stopping !== undefined) {
      await opened.close()
      return
    }
    connection = opened
    problem = undefined
    retryMs = FIRST_RETRY_MS
    void opened.closed().then((error) => onLost(describe(error ?? undefined)))
    listener?.onConnected()
  }
  function send(subject: string, text: string): Sending {
    if (connection === undefined || connection.isClosed()) return 'lost'
    try {
      connection.publish(subject, text)
      return 'sent'
    } catch {
      return connection.isClosed() ? 'lost' : 'tooLarge'
    }
  }
  async function stop(): Promise<void> {
    cancelRetry()
    const open = connection
    connection = undefined
    await open?.close()
  }
  return {
    relayId,
    start(told) {
      listener = told
      void open()
    },
    sendToAll: (text) => send(`${root}.all.${relayId}`, text),
    sendTo: (to, text) => send(`${root}.one.${to}.${relayId}`, text),
    flush() {
      const open = connection
      if (open === undefined) return Promise.resolve(false)
      return new Promise((resolve) => {
        const tell = (isDone: boolean): void => {
          flushes.delete(tell)
          resolve(isDone)
        }
        flushes.add(tell)
        open.flush().then(
          () => tell(true),
          () => tell(false),
        )
      })
    },
    stop: () => (stopping ??= stop()),
  }
}

/** The client's own promise never settles when the connection closes meanwhile. */
async function untilFlushed(connection: NatsConnection): Promise<void> {
  const broken = connection.closed().then((error) => {
    throw error instanceof Error ? error : new Error('the broker closed the connection')
  })
  await Promise.race([connection.flush(), broken])
  broken.catch(() => undefined)
}

/** Addresses hold no secret: user and password have no place in NATS_URL. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the broker closed the connection'
  if (error.name === 'AuthorizationError') return 'the broker refuses the token (NATS_TOKEN)'
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`.slice(0, PROBLEM_LENGTH)
}
