/** A process that gives each client back what it said. Ends when its last client has left, or when none ever came. */
import { readObject, SOCKET_TOPICS } from '#shared/protocol/socket-control'
import { createAttendance } from './attendance.ts'
import type { ProcessProgram } from './process-program.ts'

export const runEcho: ProcessProgram = (self) => {
  const attendance = createAttendance(self)
  return {
    receive(message) {
      const payload = readObject(message.payload)
      attendance.note(message)
      if (message.topic !== SOCKET_TOPICS.message || payload === undefined) return
      const { type, data, encoding } = payload
      self.send(message.from, { topic: SOCKET_TOPICS.send, payload: { type, data, ...(encoding === undefined ? {} : { encoding }) } })
    },
    end: () => attendance.stop(),
  }
}
