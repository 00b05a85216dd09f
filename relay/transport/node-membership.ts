/** What ties a socket of node:http to a channel it has joined. */
import type { Socket } from '../ports.ts'

/** What must hear that a socket has closed. */
export interface Membership {
  forget(socket: Socket): void
}
