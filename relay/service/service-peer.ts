/** Puts a service on the bus: a peer in this process whose methods anybody may request who has the right. */
import type { Failure, Result } from '#shared/protocol/errors'
import type { Hub } from '../hub/hub.ts'
import type { Identity, Log, PeerExit, RequestOutcome, RequestReceived } from '../ports.ts'

/** One request as a method sees it. */
export interface ServiceCall {
  /** Unchecked. */
  readonly data: unknown
  readonly attachment: Uint8Array | undefined
  readonly by: Identity
  /** The requester's address. */
  readonly from: string
  /** Where its connection comes from, where it has one. */
  readonly remoteAddress: string | undefined
  readonly deadlineMs: number
  /** Tells the requester something before or after the reply, as a `direct` message. Harmless when it has left. */
  tell(data: unknown): void
  /** Called once when the requester leaves, at once when it has left already; the returned function ends waiting for it. */
  onGone(listener: (exit: PeerExit) => void): () => void
}

/** A failure goes to the requester under its own code. A method that rejects is a defect: the requester gets `server.internal`. */
export type ServiceMethod = (call: ServiceCall) => Result<unknown> | Promise<Result<unknown>>

export type ServiceHub = Pick<Hub, 'join' | 'leave' | 'reply' | 'send' | 'watch'>

export function startService(hub: ServiceHub, address: string, methods: ReadonlyMap<string, ServiceMethod>, log: Log): Result<void> {
  function prepare({ data, attachment, by, from, remoteAddress, deadlineMs }: RequestReceived): ServiceCall {
    return {
      ...{ data, attachment, by, from, remoteAddress, deadlineMs },
      tell: (news) => void hub.send(address, from, news),
      onGone: (listener) => hub.watch(from, listener),
    }
  }
  async function answer(request: RequestReceived): Promise<RequestOutcome> {
    const method = methods.get(request.method)
    if (method === undefined) return { kind: 'failed', failure: unknownMethod(address, methods) }
    try {
      const result = await method(prepare(request))
      return result.ok ? { kind: 'replied', data: result.value } : { kind: 'failed', failure: result.failure }
    } catch (error) {
      log.error({ event: 'service.failed', service: address, method: request.method, error: describeError(error) })
      return { kind: 'failed', failure: { code: 'server.internal', message: `${address} failed at ${request.method}.` } }
    }
  }
  return hub.join({
    address,
    receive(event) {
      if (event.kind !== 'requested') return
      void Promise.resolve()
        .then(() => answer(event))
        .then((outcome) => hub.reply(address, event.id, outcome))
    },
  })
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function unknownMethod(address: string, methods: ReadonlyMap<string, ServiceMethod>): Failure {
  return { code: 'request.unknown_method', message: `${address} knows ${[...methods.keys()].join(', ')}.`, field: '/method' }
}
