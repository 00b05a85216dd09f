/** Puts a service on the bus: a peer in this process whose methods anybody may request. */
import type { Failure, Result } from '#shared/protocol/errors'
import type { Hub } from '../hub/hub.ts'
import type { Identity, RequestOutcome, RequestReceived } from '../ports.ts'

/** Gets the request's `data` unchecked, and who asks. A failure goes to the requester under its own code. */
export type ServiceMethod = (data: unknown, by: Identity) => Result<unknown>

export function startService(hub: Hub, address: string, methods: ReadonlyMap<string, ServiceMethod>): Result<void> {
  function answer(request: RequestReceived): RequestOutcome {
    const method = methods.get(request.method)
    if (method === undefined) return { kind: 'failed', failure: unknownMethod(address, methods) }
    const result = method(request.data, request.by)
    return result.ok ? { kind: 'replied', data: result.value } : { kind: 'failed', failure: result.failure }
  }
  return hub.join({
    address,
    receive(event) {
      if (event.kind === 'requested') queueMicrotask(() => hub.reply(address, event.id, answer(event)))
    },
  })
}

function unknownMethod(address: string, methods: ReadonlyMap<string, ServiceMethod>): Failure {
  return { code: 'request.unknown_method', message: `${address} knows ${[...methods.keys()].join(', ')}.`, field: '/method' }
}
