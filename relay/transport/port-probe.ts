/** Finds out why a port could not be bound, for transports that only say that it failed. */
import { createServer } from 'node:net'

export type BindProblem = 'busy' | 'denied' | 'unavailable'

export function toBindProblem(errorCode: unknown): BindProblem {
  if (errorCode === 'EADDRINUSE') return 'busy'
  if (errorCode === 'EACCES' || errorCode === 'EPERM') return 'denied'
  return 'unavailable'
}

/** Binds once with node:net and lets go. @returns undefined when it worked: whoever had the port has left. */
export function findBindProblem(host: string, port: number): Promise<BindProblem | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: Error) => resolve(toBindProblem(Reflect.get(error, 'code'))))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
