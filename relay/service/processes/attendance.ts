/** Which clients a process inside the relay has, and its end when there are none. Bounded by the relay's connections. */
import { readObject, SOCKET_TOPICS } from '#shared/protocol/socket-control'
import type { ProcessSelf, ReceivedMessage } from './process-program.ts'

export interface Attendance {
  /** To be called with each message. Only a client itself joins and leaves. */
  note(message: ReceivedMessage): void
  pids(): Iterable<string>
  /** It is not there any more. */
  drop(pid: string): void
  stop(): void
}

/** How long a process waits for its first client. */
export const UNATTENDED_MS = 60_000

export function createAttendance(self: ProcessSelf): Attendance {
  const clients = new Set<string>()
  const stop = self.clock.after(UNATTENDED_MS, () => self.exit('nobody came'))
  function drop(pid: string): void {
    if (clients.delete(pid) && clients.size === 0) self.exit('everybody has left')
  }
  return {
    note({ topic, payload, from }) {
      if (readObject(payload)?.client_pid !== from) return
      if (topic === SOCKET_TOPICS.leave) drop(from)
      if (topic !== SOCKET_TOPICS.join) return
      stop()
      clients.add(from)
    },
    pids: () => clients,
    drop,
    stop,
  }
}
