/** Handlers must not throw; when one does all the same, the process lives on and the log has it. */
import type { HttpAnswer, HttpHandler, HttpRequest, HttpStreamResponse, Log, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { failureResponse, internalFailure } from './http-answer.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'

export function guard(log: Log, work: () => void): void {
  try {
    work()
  } catch (error) {
    reportFailure(log, error)
  }
}

/** For handlers of every frame, which guard themselves: a function made for each would cost more than what it guards. */
export function reportFailure(log: Log, error: unknown): void {
  log.error({ event: 'transport.handler_failed', error: describeError(error) })
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

export async function answerSafely(handler: HttpHandler, request: HttpRequest, log: Log): Promise<HttpAnswer> {
  try {
    return await handler(request)
  } catch (error) {
    log.error({ event: 'transport.handler_failed', error: describeError(error) })
    return failureResponse(internalFailure())
  }
}

/** Decides about upgrades; what a route throws or rejects with is a refusal. */
export interface UpgradeGate {
  /** Answers at once where the route does, so that most upgrades cost no turn of the loop. */
  decide(route: SocketRoute, request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer>
}

/**
 * Bounds how many wait at once, for each route: a key server or a backend that does not answer must neither fill the memory nor hold up the other
 * routes. How long one waits is the route's to bound.
 */
export function createUpgradeGate(log: Log): UpgradeGate {
  /** By route: never zero. */
  const pending = new Map<SocketRoute, number>()
  function refuse(error: unknown): UpgradeAnswer {
    log.error({ event: 'transport.upgrade_failed', error: describeError(error) })
    return { accept: false, failure: internalFailure() }
  }
  function count(route: SocketRoute, by: number): void {
    const now = (pending.get(route) ?? 0) + by
    if (now > 0) pending.set(route, now)
    else pending.delete(route)
  }
  async function wait(route: SocketRoute, answer: Promise<UpgradeAnswer>): Promise<UpgradeAnswer> {
    count(route, 1)
    try {
      return await answer
    } catch (error) {
      return refuse(error)
    } finally {
      count(route, -1)
    }
  }
  return {
    decide(route, request) {
      if ((pending.get(route) ?? 0) >= TRANSPORT_LIMITS.pendingUpgrades) {
        return { accept: false, failure: { code: 'rate.limited', message: 'Too many connections wait to be let in. Come back later.' } }
      }
      try {
        const answer = route.onUpgrade(request)
        return answer instanceof Promise ? wait(route, answer) : answer
      } catch (error) {
        return refuse(error)
      }
    },
  }
}

export function isStream(answer: HttpAnswer): answer is HttpStreamResponse {
  return 'open' in answer
}
