/** Handlers must not throw; when one does all the same, the process lives on and the log has it. */
import type { HttpAnswer, HttpHandler, HttpRequest, HttpStreamResponse, Log, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { failureResponse, internalFailure } from './http-answer.ts'

export function guard(log: Log, work: () => void): void {
  try {
    work()
  } catch (error) {
    log.error({ event: 'transport.handler_failed', error: describeError(error) })
  }
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

/** Answers at once where the route does, so that most upgrades cost no turn of the loop. */
export function decideSafely(route: SocketRoute, request: UpgradeRequest, log: Log): UpgradeAnswer | Promise<UpgradeAnswer> {
  const refuse = (error: unknown): UpgradeAnswer => {
    log.error({ event: 'transport.upgrade_failed', error: describeError(error) })
    return { accept: false, failure: internalFailure() }
  }
  try {
    const answer = route.onUpgrade(request)
    return answer instanceof Promise ? answer.catch(refuse) : answer
  } catch (error) {
    return refuse(error)
  }
}

export function isStream(answer: HttpAnswer): answer is HttpStreamResponse {
  return 'open' in answer
}
