/**
 * One session with an OPC UA server, from its opening to its end. `node-opcua` would rather wait, repair and repeat; here nothing is waited for
 * without a bound, nothing is repaired and nothing repeated: whatever goes wrong ends this session for good, and whoever wants one opens another.
 * Leaves what values mean to the line.
 */
import type { ClientSecureChannelLayer, ClientSession, ClientSubscription, DataValue, OPCUAClient } from 'node-opcua-client'
import type { Clock } from '../../ports.ts'
import type { OpcuaAddress } from './opcua-address.ts'
import type { OpcuaLibrary } from './opcua-library.ts'
import { findWritableType, type VariantToWrite } from './opcua-value.ts'

export interface OpcuaConnection {
  /** When the server last said something of the values, Unix milliseconds. */
  heardAt(): number
  /** What was last heard. Throws why when the session has ended. */
  find(address: OpcuaAddress): DataValue | undefined
  /** Of a node that is written, as the server says. */
  typeOf(address: OpcuaAddress): number | undefined
  /** Reads all values now. */
  ask(): Promise<void>
  /** Once. @returns the server's word when it refuses. */
  write(address: OpcuaAddress, variant: VariantToWrite): Promise<string | undefined>
  /** Says farewell, and leaves without an answer if none comes. Twice is harmless; never rejects. */
  close(): Promise<void>
}

interface Options {
  readonly url: string
  readonly read: readonly OpcuaAddress[]
  readonly written: readonly OpcuaAddress[]
  readonly publishMs: number
  readonly answerMs: number
  readonly clock: Clock
}

/** The server says that it lives, at least so often. */
const KEEP_ALIVE_MS = 500
/** Nobody missed: a server ends the session after that. */
const SESSION_MS = 10_000
const FAREWELL_MS = 500
/** Answers that the opening may take: hello and channel, endpoints, session, its activation, values, subscription, items. */
const OPENING_ANSWERS = 4

/** Rejects when it could not be opened; then nothing is left of it. */
export async function openOpcuaConnection(library: OpcuaLibrary, options: Options): Promise<OpcuaConnection> {
  const { clock, answerMs } = options
  const link = createLink(library, options)
  try {
    return await within(OPENING_ANSWERS * answerMs, clock, openSession(link, library, options))
  } catch (error) {
    link.drop(toError(error))
    throw toError(error)
  }
}

interface Link {
  readonly client: OPCUAClient
  /** Twice is harmless. */
  drop(why: Error): void
  /** Why it ended. */
  ended(): Error | undefined
  farewell(): Promise<void>
}

function createLink({ client: library, identity }: OpcuaLibrary, { answerMs, clock }: Options): Link {
  let channel: ClientSecureChannelLayer | undefined
  let ended: Error | undefined
  let isLeaving = false
  const client = library.OPCUAClient.create({
    applicationName: 'Semblante',
    clientName: 'Semblante',
    certificateKeyPairProvider: identity,
    // Reconnecting by itself, it would send again what waits for an answer.
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 100 },
    endpointMustExist: false,
    keepSessionAlive: false,
    requestedSessionTimeout: SESSION_MS,
    securityMode: library.MessageSecurityMode.None,
    securityPolicy: library.SecurityPolicy.None,
    // Ours come first: they know what was waited for.
    transportTimeout: 2 * answerMs,
    defaultTransactionTimeout: 2 * answerMs,
  })
  client.on('secure_channel_created', (created) => {
    channel = created
  })
  client.on('close', () => drop(new Error('closed the connection')))
  client.on('connection_lost', () => drop(new Error('closed the connection')))

  /** Its own farewell would wait for a server that may never answer. */
  function drop(why: Error): void {
    if (ended !== undefined) return
    ended = why
    breakOff()
  }
  function breakOff(): void {
    try {
      channel?.forceConnectionBreak()
      channel?.dispose()
    } catch {
      // It was not whole yet.
    }
    void leave()
  }
  function leave(): Promise<void> {
    if (isLeaving) return Promise.resolve()
    isLeaving = true
    return client.disconnect().catch(() => undefined)
  }
  return {
    client,
    drop,
    ended: () => ended,
    async farewell() {
      if (ended !== undefined) return
      ended = new Error('closed the connection')
      await within(FAREWELL_MS, clock, leave()).catch(() => breakOff())
    },
  }
}

async function openSession(link: Link, library: OpcuaLibrary, options: Options): Promise<OpcuaConnection> {
  const { url, read, written, answerMs, clock } = options
  await link.client.connect(url)
  const session = await link.client.createSession()
  session.on('session_closed', () => link.drop(new Error('ended the session')))
  refuseRepairs(link, library)
  const heard = new Map<OpcuaAddress, DataValue>()
  let heardAt = clock.now()
  const hear = (address: OpcuaAddress, value: DataValue): void => {
    heard.set(address, value)
  }
  async function readAll(addresses: readonly OpcuaAddress[]): Promise<readonly DataValue[]> {
    const asked = addresses.map((nodeId) => ({ nodeId, attributeId: library.client.AttributeIds.Value }))
    const values = asked.length === 0 ? [] : await session.read(asked)
    if (values.length !== asked.length) throw new Error('answered with too few values')
    return values
  }
  async function askAll(): Promise<void> {
    for (const [index, value] of (await readAll(read)).entries()) hear(read[index] ?? '', value)
    heardAt = clock.now()
  }
  await askAll()
  const types = (await readAll(written)).map((value) => findWritableType(value))
  await subscribe(session, library, {
    ...options,
    hear,
    onSign: () => {
      heardAt = clock.now()
    },
    onEnd: () => link.drop(new Error('ended the subscription')),
  })
  /** One call: an answer that does not come ends the session. */
  async function bounded<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await within(answerMs, clock, work)
    } catch (error) {
      link.drop(toError(error))
      throw toError(error)
    }
  }
  function throwIfEnded(): void {
    const why = link.ended()
    if (why !== undefined) throw why
  }
  throwIfEnded()
  return {
    heardAt: () => heardAt,
    find(address) {
      throwIfEnded()
      return heard.get(address)
    },
    typeOf: (address) => types[written.indexOf(address)],
    async ask() {
      throwIfEnded()
      await bounded(askAll())
    },
    async write(nodeId, { dataType, value }) {
      throwIfEnded()
      const attributeId = library.client.AttributeIds.Value
      const status = await bounded(
        session.write({ nodeId, attributeId, value: { value: { dataType: library.client.DataType[dataType] ?? 'Null', value } } }),
      )
      return status.isGood() ? undefined : status.name
    },
    close: () => link.farewell(),
  }
}

/** The library opens another session when the server has forgotten this one, and then sends again what was asked: before that it is cut off. */
function refuseRepairs({ client, drop }: Link, { client: library }: OpcuaLibrary): void {
  client.on('send_request', (request) => {
    if (request instanceof library.CreateSessionRequest || request instanceof library.ActivateSessionRequest) {
      // Not in the middle of the library's sending, and before any answer.
      queueMicrotask(() => drop(new Error('has forgotten the session')))
    }
  })
}

interface Listening extends Options {
  readonly hear: (address: OpcuaAddress, value: DataValue) => void
  /** Any message of the subscription: what did not change is as it was. */
  readonly onSign: () => void
  readonly onEnd: () => void
}

async function subscribe(session: ClientSession, { client: library }: OpcuaLibrary, listening: Listening): Promise<void> {
  const { read, publishMs, hear, onSign, onEnd } = listening
  const keepAliveCount = Math.max(1, Math.round(KEEP_ALIVE_MS / publishMs))
  const subscription: ClientSubscription = await session.createSubscription2({
    requestedPublishingInterval: publishMs,
    requestedMaxKeepAliveCount: keepAliveCount,
    requestedLifetimeCount: Math.max(3 * keepAliveCount, Math.round(SESSION_MS / publishMs)),
    maxNotificationsPerPublish: 0,
    publishingEnabled: true,
    priority: 1,
  })
  for (const event of ['terminated', 'internal_error', 'error']) subscription.on(event, onEnd)
  subscription.on('status_changed', (status) => {
    if (!status.isGood()) onEnd()
  })
  subscription.on('raw_notification', onSign)
  const items = library.ClientMonitoredItemGroup.create(
    subscription,
    read.map((nodeId) => ({ nodeId, attributeId: library.AttributeIds.Value })),
    { samplingInterval: publishMs, queueSize: 1, discardOldest: true },
    library.TimestampsToReturn.Both,
  )
  items.on('changed', (_item, value, index) => hear(read[index] ?? '', value))
  await new Promise<void>((resolve, reject) => {
    items.on('initialized', () => resolve())
    items.on('err', (message) => reject(new Error(`takes no subscription: ${message}`)))
    subscription.on('terminated', () => reject(new Error('ended the subscription')))
  })
}

/** The work goes on alone when it is late; what becomes of it nobody hears. */
async function within<Value>(limitMs: number, clock: Clock, work: Promise<Value>): Promise<Value> {
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(limitMs, () => reject(new Error('did not answer in time')))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
    work.catch(() => undefined)
  }
}

const MAX_TEXT = 160

/** The library's texts are long; what a person can do something with is short. */
function toError(error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('ECONNREFUSED')) return new Error('refuses connections')
  if (/ECONNRESET|ECONNABORTED|EPIPE|Connection Break|BadConnectionClosed/.test(text)) return new Error('reset the connection')
  if (/timeout|timed out|BadTimeout/i.test(text)) return new Error('did not answer in time')
  return new Error(text.replace(/\s+/g, ' ').slice(0, MAX_TEXT))
}
