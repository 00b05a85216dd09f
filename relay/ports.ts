/**
 * Every interface between the relay's rooms. Rooms import this file and never each other's adapters; `app.ts` puts them together.
 */
import type { CloseName } from '#shared/protocol/close-codes'
import type { Failure, Result } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessage } from '#shared/protocol/messages'
import type { DeliveryClass, HistoryLimits } from '#shared/protocol/topics'
import type { PictureModel, PictureReading, PictureWish, VisionFacts } from '#shared/vision/picture-reading'
import type { CounterLabel, CounterName, GaugeName, HistogramName } from './metric-catalog.ts'

// ---------------------------------------------------------------- time, chance, log

/** Time comes from outside so that tests can turn the hands. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls back once after `delayMs`; the returned function cancels, harmless when too late. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back every `intervalMs` until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

/** Lets what happens in one turn of the event loop be sent together. */
export interface LoopTurn {
  /** Calls back once, after the events of this turn are through. */
  atEnd(callback: () => void): void
}

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number
  /** `sizeBytes` unpredictable bytes as base64url. */
  token(sizeBytes: number): string
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Events, not sentences: `log.info({ event: 'session.opened', peer })`. Never a payload, image or token. */
export interface LogEntry {
  readonly event: string
  readonly [detail: string]: unknown
}
export interface Log {
  debug(entry: LogEntry): void
  info(entry: LogEntry): void
  warn(entry: LogEntry): void
  error(entry: LogEntry): void
}

// ---------------------------------------------------------------- transport: moves bytes

/** One open socket, whatever carries it: a WebSocket, an event stream, a pair in memory. */
export interface Socket {
  /** False where the other end can only listen (an event stream): it answers no pings and says nothing. */
  readonly isTwoWay: boolean
  /**
   * Queues one text frame, given as UTF-8 so that what goes to many is encoded once. The array must not change afterwards.
   * @returns bytes still waiting in this process after the call; 0 when all went to the kernel.
   */
  sendText(utf8: Uint8Array): number
  /** As `sendText`, for a binary frame. Nothing where the other end takes text only (an event stream). */
  sendBinary(bytes: Uint8Array): number
  /** Runs `sends` so that the frames leave together. */
  cork(sends: () => void): void
  /** Bytes waiting in this process. */
  bufferedBytes(): number
  /** Protocol ping (RFC 6455 section 5.5.2). */
  ping(): void
  /** Sends a close frame after what is queued, however long the reader takes; bound that with `terminate`. Harmless when closed. */
  close(code: number, reason: string): void
  /** Drops the connection without ceremony. Harmless when closed. */
  terminate(): void
  /** Who is at the other end, for logs and limits. */
  readonly remoteAddress: string
}

/**
 * Sockets of one transport that get the same frames: the fast way to reach many. It knows nothing of slow readers; whoever opens it looks
 * at `bufferedBytes` and lets them leave.
 */
export interface Channel {
  /** Twice is harmless. A socket that closes has left. */
  join(socket: Socket): void
  /** Frames sent before still arrive. Harmless for a socket that is not in it. */
  leave(socket: Socket): void
  /** To all that are in it now. Frames of one turn leave together; the order with `sendText` on the same socket is kept. The array must not change afterwards. */
  send(utf8: Uint8Array): void
}

/** What the transport tells the owner of a socket. No call may throw. */
export interface SocketListener {
  onText(text: string): void
  /** @param bytes the listener's own: a copy that stays valid. */
  onBinary(bytes: Uint8Array): void
  /** A frame over `maxFrameBytes` came; the transport keeps the socket open until the listener closes it. */
  onTooLarge(sizeBytes: number): void
  /** Any ping or pong frame: the other end lives. */
  onPong(): void
  /** `bufferedBytes()` fell; more may be sent. */
  onDrain(): void
  /** The last call. */
  onClose(code: number): void
}

/** The HTTP request that wants to become a socket. Values are copies: they stay valid. */
export interface UpgradeRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly subprotocols: readonly string[]
  readonly remoteAddress: string
}

/** Either a listener, made once the socket is open, or a refusal answered as plain HTTP: in our words, or as an older system words it. */
export type UpgradeAnswer =
  | { readonly accept: true; readonly subprotocol: string | undefined; readonly open: (socket: Socket) => SocketListener }
  | { readonly accept: false; readonly failure: Failure }
  | { readonly accept: false; readonly response: HttpResponse }

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
  /** Reads the whole body; fails with `frame.too_large` past `limitBytes`. */
  readBody(limitBytes: number): Promise<Result<Uint8Array>>
  /** Called once when the client goes away before it was answered, for answers that wait (long polling). */
  onGone(listener: () => void): void
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Each a `Set-Cookie` line of its own: they cannot be joined (RFC 6265 section 3). */
  readonly cookies?: readonly string[]
  readonly body: string | Uint8Array
}

/**
 * A 200 that stays open and is written to as things happen (`text/event-stream`): `sendText` writes its bytes as they are, `ping` does nothing,
 * `close` ends the body, the listener hears `onDrain` and `onClose` only.
 */
export interface HttpStreamResponse {
  readonly headers: Readonly<Record<string, string>>
  readonly open: (socket: Socket) => SocketListener
}

export type HttpAnswer = HttpResponse | HttpStreamResponse

export interface SocketRoute {
  /** Exact, or with a last step `*` for everything below: `/ws/agent/*`, `/*`. The exact one wins, then the longest. */
  readonly path: string
  /** Frames above it go to `onTooLarge`. */
  readonly maxFrameBytes: number
  /** Must not reject; if it does the transport answers 500 and logs. */
  readonly onUpgrade: (request: UpgradeRequest) => UpgradeAnswer | Promise<UpgradeAnswer>
}

/** One plain address among others. */
export interface HttpRoute {
  /** As a socket's. */
  readonly path: string
  readonly methods: readonly string[]
  /** Must not throw. */
  readonly answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>
}

/** Answers every request that is no upgrade. Must not throw; if it does the transport answers 500 and logs. */
export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>

export interface TransportRoutes {
  readonly sockets: readonly SocketRoute[]
  readonly http: HttpHandler
}

/** `auto` takes the fastest that loads here. */
export const TRANSPORT_CHOICES = ['auto', 'uws', 'ws'] as const
export type TransportChoice = (typeof TRANSPORT_CHOICES)[number]

/**
 * `busy`: another process has the port. `denied`: the system forbids it. `unavailable`: no such address here. `tls`: certificate or key cannot
 * be used, `detail` says why.
 */
export type ListenResult =
  | { readonly ok: true; readonly port: number }
  | { readonly ok: false; readonly problem: 'busy' | 'denied' | 'unavailable' }
  | { readonly ok: false; readonly problem: 'tls'; readonly detail: string }

/** Older systems whose clients have a port built in. */
export const COMPAT_DIALECTS = ['carousel', 'vision', 'event', 'agent'] as const
export const COMPAT_AUTHS = ['none', 'token'] as const

/** A listening port for pages, REST and sockets. Constructed doing nothing. */
export interface Transport {
  /** Said once at start: `uWebSockets.js` or `ws`. */
  readonly name: string
  /** Binds. Port 0 picks one. A busy port is an expected failure. @returns the bound port. */
  start(address: { readonly host: string; readonly port: number }): Promise<ListenResult>
  /** For sockets of this transport. Free to make and to forget. */
  openChannel(): Channel
  /** Accepts no more connections; open ones live on. Twice is harmless. */
  stopListening(): void
  /** Ends what is left. Twice is harmless. */
  stop(): Promise<void>
}

// ---------------------------------------------------------------- the bus: what the hub tells a peer

/** One message on the bus. Made once, shared by all who receive it, never changed. */
export interface Publication {
  readonly kind: 'publication'
  readonly topic: string
  readonly delivery: DeliveryClass
  readonly epoch: string
  readonly seq: number
  /** The relay's clock, Unix milliseconds. */
  readonly time: number
  /** The payload as JSON text: written once, for all wires and for the history. */
  readonly json: string
}

/** What a peer is told about a topic it resumes, or that it could not follow. */
export type TopicNotice =
  | { readonly kind: 'resumed'; readonly topic: string; readonly epoch: string; readonly count: number }
  | { readonly kind: 'gap'; readonly topic: string; readonly epoch: string; readonly from: number; readonly to: number }
  | { readonly kind: 'reset'; readonly topic: string; readonly epoch: string }

/** A message from one peer to another, that asks for nothing. */
export interface DirectMessage {
  readonly kind: 'direct'
  readonly from: string
  readonly time: number
  readonly data: unknown
}

/** Somebody asks this peer. Answer with `hub.reply` and the same id. */
export interface RequestReceived {
  readonly kind: 'requested'
  /** The hub's own, unique while the request waits. */
  readonly id: string
  readonly from: string
  /** Who asks, for services that check rights or keep a record. Never sent to other peers. */
  readonly by: Identity
  readonly method: string
  readonly data: unknown
  /** Bytes that came beside the JSON. Services of this process get them; peers over a wire cannot be sent any. */
  readonly attachment: Uint8Array | undefined
  readonly deadlineMs: number
  /** Where the requester's connection comes from, where it has one. Never sent to other peers. */
  readonly remoteAddress?: string | undefined
}

/** A request that the policy refused before it reached anybody, for services that keep a record. */
export interface DeniedRequest {
  readonly from: string
  readonly remoteAddress: string
  readonly by: Identity
  readonly to: string
  readonly method: string
  readonly data: unknown
}
/** Must not throw. */
export type DeniedListener = (denied: DeniedRequest) => void

/** How a request ended. Exactly one comes for each request the hub took, unless its peer left first. */
export type RequestOutcome =
  | { readonly kind: 'replied'; readonly data: unknown }
  /** The target's own words for why it could not. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface RequestEnded {
  readonly kind: 'requestEnded'
  /** The id the requester chose. */
  readonly id: string
  readonly from: string
  readonly outcome: RequestOutcome
  /** The idempotency key was known: the target was not asked again. */
  readonly isDuplicate: boolean
}

/** A peer this one monitors, or is linked to, has left. Comes once; the monitor is gone with it. */
export interface PeerExited {
  readonly kind: 'exited'
  readonly address: string
  readonly exit: PeerExit
}

/** Why a peer left. */
export interface PeerExit {
  readonly reason: string
  /** It did not end as it meant to: its connection broke, its handler threw. */
  readonly isAbnormal: boolean
}

export type PeerEvent = Publication | DirectMessage | RequestReceived | RequestEnded | PeerExited

/** Everything on the bus has an address: a socket's session, a service, later a peer of another process. */
export interface Peer {
  readonly address: string
  /** Must not throw and must not call the hub back before it returns. */
  receive(event: PeerEvent): void
}

// ---------------------------------------------------------------- dialects: give bytes a meaning

export type DialectName = CounterLabel<'connections_opened_total'>

/** What goes out in one frame: text as UTF-8, or bytes as they are. */
export type Frame = Uint8Array | { readonly binary: Uint8Array }

/** One connection as its dialect sees it. Nothing throws; everything is harmless once the connection has ended. */
export interface Conversation {
  /** Empty before the session is open. */
  readonly address: string
  /** Nobody before the session is open. */
  readonly identity: Identity
  readonly remoteAddress: string
  /**
   * Says a message of the catalog in the client's place, with the same rights and limits as if it had come natively. What the relay answers
   * comes to the dialect's `write`.
   */
  say(message: ClientMessage, attachment?: Uint8Array): void
  /** To the client, in order with everything else. */
  send(frame: Frame): void
  /** The client made a mistake: `write` gets it as an `error`. Too many end the connection. */
  blame(failure: Failure, id: string | undefined): void
  /** As `blame`, for a mistake that the dialect has answered in its own words. */
  countMistake(): void
  /** Closes after what waits. */
  end(end: SessionEnd): void
}

/** One client protocol. */
export interface Dialect {
  readonly name: DialectName
  /**
   * True for a dialect that remembers nothing of one connection: its publications may be encoded once for all. A dialect that does is made
   * anew for each connection.
   */
  readonly isShared: boolean
  /** What the client is called in presence where it has no words to say so itself. */
  readonly client?: string
  /** One frame of the client's: text, or the bytes of a binary one. Total: whatever comes is said, answered or blamed, and nothing throws. */
  read(frame: string | Uint8Array, conversation: Conversation): void
  /** A message of the relay's for this client, `welcome` first: sends the frames that mean it, none for what this dialect does not say. */
  write(message: RelayMessage, conversation: Conversation): void
  /** The frame of a publication; undefined for what this dialect does not say. A shared dialect encodes the last one once. */
  encodePublication(publication: Publication, isRetained: boolean): Frame | undefined
  /** The sender's id in a text that is not read, because too many came. */
  findId?(text: string): string | undefined
  /** Sent at every beat over sockets that answer no pings, so that the network between sees life. */
  readonly keepAlive?: Uint8Array
  /** The connection has ended: timers stop here. */
  end?(): void
}

// ---------------------------------------------------------------- sessions and rights

export const ROLES = ['viewer', 'station', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What somebody may do, beyond what the roles give: topic filters and address filters. */
export interface Rights {
  readonly subscribe: readonly string[]
  readonly publish: readonly string[]
  /** Addresses that may be asked (`request`) and told (`send`). */
  readonly request: readonly string[]
}
export type Action = keyof Rights

/** Who a token stands for. */
export interface Identity {
  /** Opaque and stable for the token's life; safe in logs. */
  readonly subject: string
  readonly roles: readonly Role[]
  /** Named in the token itself. */
  readonly rights: Rights
  /** The one station this token may speak for; undefined: any. */
  readonly station: string | undefined
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** Reads tokens. Several stand behind each other: the first that knows the kind of token answers. */
export interface TokenVerifier {
  /** Fails with `auth.token_invalid` or `auth.token_expired`. Asynchronous because keys may have to be fetched. */
  verify(token: string): Promise<Result<Identity>>
}

/** The tokens this relay issues itself. */
export interface Authenticator extends TokenVerifier {
  /** A new anonymous session. */
  acquire(): { readonly token: string; readonly expiresAt: number }
  /** Ends a session; `onRevoked` tells. @returns false when the token was none. */
  revoke(token: string): boolean
  /** Called with the subject of each revoked token, so that live connections can be closed. */
  onRevoked(listener: (subject: string) => void): void
}

/** Who may do what. Denies what it does not allow. */
export interface AccessPolicy {
  /**
   * @param target a topic for `publish`, a topic filter for `subscribe`, an address for `request`; well formed.
   * @returns `auth.forbidden` with a text that says which right is missing.
   */
  check(identity: Identity, action: Action, target: string): Result<void>
}

/** May the page that sends this come in? Fails with `origin.denied`. */
export type OriginPolicy = (headers: ReadonlyMap<string, string>) => Result<void>

// ---------------------------------------------------------------- where dialects are spoken

/** Where and on what conditions one dialect is spoken. */
export interface DialectRoute {
  /** As a `SocketRoute`'s. */
  readonly path: string
  readonly maxFrameBytes: number
  /** Of a text frame, where that is less. */
  readonly maxTextBytes?: number
  /** So many times the operator's bytes per second (BYTES_PER_SECOND) may one connection send: for dialects that are all pictures. 1 when left out. */
  readonly bytesFactor?: number
  /**
   * - `hello`: the token may also come later, in the dialect's own words.
   * - `token`: no socket without one.
   * - `compat`: as the operator says (COMPAT_AUTH): without a token the client is nobody in particular.
   */
  readonly door: 'hello' | 'token' | 'compat'
  /** The dialect reads the token of the request itself and says it in its `hello`, so that a wrong one is answered in its words. The door looks at none. */
  readonly readsToken?: boolean
  /** The subprotocol answered, or why not; left out for dialects that know none. */
  readonly chooseSubprotocol?: (request: UpgradeRequest) => Result<string | undefined>
  /** One for each connection, unless it is shared. Fails where the request is none of this dialect's. */
  readonly createDialect: (request: UpgradeRequest) => Result<Dialect>
  /** The refusal as the older system words it; in ours when left out. */
  readonly refuse?: (failure: Failure) => HttpResponse
}

/** One question to a peer or service, in the name of whoever sent a plain request. */
export interface RestQuestion {
  readonly to: string
  readonly method: string
  readonly data?: unknown
  readonly attachment?: Uint8Array
  /** 30 s when left out. */
  readonly deadlineMs?: number
}

/** Whoever sent a plain request. */
export interface RestCaller {
  readonly identity: Identity
  /** Never rejects. Fails with the code of the policy, the hub or the service. */
  call(question: RestQuestion): Promise<Result<unknown>>
}

/** The plain HTTP twin of a dialect. */
export interface RestRoute {
  /** As an `HttpRoute`'s. */
  readonly path: string
  readonly methods: readonly string[]
  /** `open`: anybody may ask, without a token and without rights. `token`, `compat`: as for sockets. */
  readonly door: 'open' | 'token' | 'compat'
  readonly answer: (request: HttpRequest, caller: RestCaller) => HttpAnswer | Promise<HttpAnswer>
  /** A refusal at the door as the older system words it; in ours when left out. */
  readonly refuse?: (failure: Failure) => HttpResponse
}

/** What one older system's clients find here: on the one port under paths of its own, and at the root of a port that speaks it alone. */
export interface OlderSystem {
  readonly name: (typeof COMPAT_DIALECTS)[number]
  /** On the one port, and on its own. */
  readonly sockets: readonly DialectRoute[]
  readonly rest: readonly RestRoute[]
  /** Every other path of a port of its own. */
  readonly rootSocket: Omit<DialectRoute, 'path'>
  /** `GET /` on a port of its own. */
  readonly root: Pick<RestRoute, 'door' | 'answer'>
}

// ---------------------------------------------------------------- topics and their history

/** What an operator may change for the topics that `filter` matches; what is left out stays as in the catalog. The first that matches wins. */
export interface TopicOverride {
  /** Well formed. */
  readonly filter: string
  readonly delivery?: DeliveryClass
  readonly history?: Partial<HistoryLimits>
  readonly maxLatencyMs?: number
}

/** One publication as it is kept in the file. */
export interface StoredPublication {
  readonly topic: string
  readonly delivery: DeliveryClass
  readonly epoch: string
  readonly seq: number
  readonly time: number
  readonly json: string
  /** Publisher and idempotency key, where it had one: a repetition after a restart is still recognised. */
  readonly key: string | undefined
}

/** What the file knew when it was opened. */
export interface StoredHistory {
  /** In force now: the one before where the file was closed in order, else the new one. */
  readonly epoch: string
  /** After a crash: the epoch before. Its numbers are good up to the last one stored of each topic. */
  readonly crashedEpoch: string | undefined
  /** By topic, then by number. */
  readonly publications: readonly StoredPublication[]
  /** The last number of each topic, also of those of which nothing is kept. */
  readonly lastSeqs: ReadonlyMap<string, number>
}

/**
 * Keeps publications beyond the process. Writes happen off the event loop, in batches: whoever must know that a message is safe waits for
 * `append`. When the disk refuses, it goes on trying and says `degraded`; nothing throws.
 */
export interface HistoryStore {
  /** @param newEpoch used when the numbering before cannot be continued. Fails with a sentence for the operator. */
  open(newEpoch: string): Promise<{ readonly ok: true; readonly history: StoredHistory } | { readonly ok: false; readonly problem: string }>
  /** Keeps them, in this order. @returns whether they are safe: committed to the file. */
  append(publications: readonly StoredPublication[]): Promise<boolean>
  state(): 'ready' | 'degraded'
  /** Writes what waits and marks the end as orderly. Twice is harmless. */
  close(): Promise<void>
}

// ---------------------------------------------------------------- metrics

/** THE list of metrics is `metric-catalog.ts`. Cheap enough for every message: adding to a counter allocates nothing. */
export interface Metrics {
  add<Name extends CounterName>(name: Name, label: CounterLabel<Name>, by?: number): void
  observe(name: HistogramName, value: number): void
  /** Read when somebody looks. */
  gauge(name: GaugeName, read: () => number): void
  /** What was counted under the label, or under all, for rates on the admin page. */
  total<Name extends CounterName>(name: Name, label?: CounterLabel<Name>): number
}

// ---------------------------------------------------------------- machines

/** What one carousel says of itself, whatever it is built of. */
export interface CarouselReading {
  /** The bucket at the opening, 0-based. */
  readonly position: number
  readonly positions: number
  readonly isMoving: boolean
  readonly direction: 'up' | 'down' | 'none'
  readonly mode: 'remote' | 'manual'
  readonly isReady: boolean
  readonly hasAlarm: boolean
  readonly isEmergencyStopped: boolean
  readonly hasDriveFault: boolean
  readonly hasPositioningError: boolean
  /** The status byte as the device sent it, where it has one. */
  readonly raw: number | undefined
}

/**
 * `readAt`: when that was so, Unix milliseconds, where the device tells of changes and was not asked just now. `isGarbled`: the device is reached, and
 * what it answers is no answer.
 */
export type PlcReadResult =
  | { readonly ok: true; readonly reading: CarouselReading; readonly readAt?: number }
  | { readonly ok: false; readonly problem: string; readonly isGarbled?: boolean }

/** What a carousel can be told. `raw`: a code of its own protocol, 0 to 255, that none of the others stands for. */
export type PlcCommand =
  | { readonly kind: 'move'; readonly position: number }
  | { readonly kind: 'stop' | 'reset' | 'calibrate' }
  | { readonly kind: 'raw'; readonly code: number; readonly argument: number | undefined }

/** `isSent`: the bytes may have reached the device, so nobody knows whether it obeys. Never written again by the driver. */
export type PlcWriteResult =
  { readonly ok: true } | { readonly ok: false; readonly problem: string; readonly isSent: boolean; readonly isUnsupported?: boolean }

/** One device. Never rejects: an unreachable device is an expected failure. The bridge calls one method at a time. */
export interface PlcDriver {
  start(): Promise<void>
  read(): Promise<PlcReadResult>
  /** Hands one command to the device, once. Whether it obeys is seen by reading. */
  write(command: PlcCommand): Promise<PlcWriteResult>
  /** Twice is harmless. */
  stop(): Promise<void>
}

// ---------------------------------------------------------------- reading pictures

export interface PictureToRead extends PictureWish {
  /** A file, or one as base64 with or without a data URL before it; decoded off the event loop. */
  readonly source: string | Uint8Array
}

export interface ReadPicture {
  readonly reading: PictureReading
  readonly model: PictureModel
  readonly processingMs: number
}

/** Reads faces in pictures, off the event loop. Nothing rejects; no picture is kept. Whose turn it is decides the service `vision`. */
export interface InferenceBackend {
  /** How many pictures can be read at once; 0 reads none. */
  readonly slots: number
  /** Looks for the networks and says in the log when there are none. Runs nothing yet: threads start with the first picture. */
  start(): Promise<void>
  /** `unavailable`: every picture fails with `vision.unavailable`. `ready`: at least one thread is up. */
  state(): 'unavailable' | 'idle' | 'ready'
  /** Fails with `image.*` or `vision.*`; `vision.busy` while all slots read. */
  read(picture: PictureToRead): Promise<Result<ReadPicture>>
  /** Starts a thread where none is up. */
  describe(): Promise<Result<VisionFacts>>
  /** Twice is harmless. */
  stop(): Promise<void>
}

/** How a machine was seen when it was told something. */
export interface AuditedState {
  readonly quality: 'good' | 'stale' | 'bad'
  readonly position: number
  readonly isMoving: boolean
  readonly mode: 'remote' | 'manual'
  readonly hasAlarm: boolean
  readonly isEmergencyStopped: boolean
}

/** One step of one attempt to command or reserve a machine: refused, or accepted and later its end. */
export interface AuditEntry {
  /** Unix milliseconds. */
  readonly time: number
  readonly machine: string
  /** The same in both lines of one command, and in all lines of one reservation. */
  readonly command: string
  /** The method, as it was asked. */
  readonly name: string
  readonly argument?: number
  readonly code?: number
  /** The subject of whoever asked. */
  readonly by: string
  /** Their address on the bus, and on the network where that is known. */
  readonly from: string
  readonly remoteAddress?: string
  readonly state: 'accepted' | 'refused' | 'done' | 'failed' | 'timedOut' | 'superseded' | 'unknown'
  /** What became of a reservation; the argument is its seconds. `left`: its holder's connection ended; `ended`: the relay watches the machine no more. */
  readonly lease?: 'taken' | 'extended' | 'released' | 'expired' | 'left' | 'ended'
  /** The code of the error. */
  readonly error?: string
  readonly before?: AuditedState
  readonly after?: AuditedState
  /** As many refusals were not written down before this one, because too many came. */
  readonly suppressed?: number
}

/** The record of who told a machine what. Append-only. */
export interface AuditLog {
  /** @returns the commands that were accepted and whose end was not written: the relay stopped in the middle. */
  open(): Promise<{ readonly ok: true; readonly unfinished: readonly AuditEntry[] } | { readonly ok: false; readonly problem: string }>
  /** Never rejects. @returns whether it is safe: on the disk. */
  append(entry: AuditEntry): Promise<boolean>
  /** Writes what waits. Twice is harmless. */
  close(): Promise<void>
}

// ---------------------------------------------------------------- other relays

/** A publication of another relay of the cluster. Each relay numbers for itself, so it carries no number. */
export interface SharedPublication {
  /** Well formed, covered by the catalog, and none of a relay's own (`$relay/...`). */
  readonly topic: string
  /** The payload, checked against the topic's schema, as JSON text. */
  readonly json: string
  /** The clock of the relay it was published at. */
  readonly time: number
  /** Publisher and idempotency key. */
  readonly key: string | undefined
}

/** A request that a peer of another relay makes here. Its rights were checked there. */
export interface FarRequest {
  readonly from: string
  readonly to: string
  readonly by: Identity
  readonly method: string
  readonly data: unknown
  readonly deadlineMs: number
}

/** What a broker does on this relay's bus in the name of the others. Nothing throws. */
export interface BrokerBus {
  /** Publishes it here, numbered here; never shared again. */
  deliver(publication: SharedPublication): void
  /** Messages of the topic were published elsewhere and will never come. The filter `#`: of any topic. */
  noteLoss(topic: string): void
  /** Of all `latest` topics but the relay's own. */
  lastValues(): readonly Publication[]
  /** Undefined where nothing may be published. */
  deliveryOf(topic: string): DeliveryClass | undefined
  hasPeer(address: string): boolean
  /** Asks a peer of this relay. */
  ask(request: FarRequest, onEnd: (outcome: RequestOutcome) => void): void
  /** Tells a peer of this relay. */
  tell(from: string, to: string, data: unknown): void
  /** How a request ended that a peer of this relay made to `from`. */
  reply(from: string, id: string, outcome: RequestOutcome): void
}

/** Carries publications, requests and direct messages between relays. Losing it is no reason to stop: the relay serves on alone and says so. */
export interface Broker {
  /** Connects in the background; never rejects. */
  start(bus: BrokerBus): void
  /** Tells the others what was published here. What waits for the broker is bounded; what is given up is told to the others as lost. */
  share(publication: Publication, key: string | undefined): void
  /** Whether another relay could have that peer. */
  mayHave(address: string): boolean
  /** Asks a peer of another relay; the outcome comes by `BrokerBus.reply`, at the latest the asker's own deadline ends it. */
  ask(to: string, request: RequestReceived): void
  /** @returns false when no other relay is known to have it. The others are asked then, so that the next try may reach it. */
  tell(from: string, to: string, data: unknown): boolean
  state(): 'connected' | 'lost'
  /** Sends what waits. Twice is harmless. */
  stop(): Promise<void>
}

// ---------------------------------------------------------------- the assistant

/** One turn of a conversation, as chat-completions servers word it. */
export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A server that continues conversations, somewhere else. */
export interface ChatServer {
  /**
   * Never rejects. `onText` gets each piece of the answer as it arrives, never an empty one; the whole is the result. Fails with
   * `assistant.unavailable` (not reached) or `assistant.failed`. Once `signal` is aborted nothing more is asked or told.
   */
  answer(
    turns: readonly ChatTurn[],
    listener: { readonly signal: AbortSignal; readonly onText: (text: string) => void },
  ): Promise<Result<string>>
}

/** How a session leaves: the close code comes from the table, unless a peer that may close it chose another. */
export interface SessionEnd {
  readonly close: CloseName
  readonly reason: string
  /** 1000 or 3000 to 4999 (RFC 6455 section 7.4.2). */
  readonly code?: number
}
