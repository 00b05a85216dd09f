/** A process where everybody hears what anybody says, themselves included. Ends when the last has left, or when nobody ever came. */
import { readObject, SOCKET_TOPICS } from '#shared/protocol/socket-control'
import { createAttendance } from './attendance.ts'
import type { ProcessProgram } from './process-program.ts'

export const runRoom: ProcessProgram = (self) => {
  const attendance = createAttendance(self)
  return {
    receive(message) {
      const payload = readObject(message.payload)
      attendance.note(message)
      if (message.topic !== SOCKET_TOPICS.message || payload === undefined) return
      const { type, data, encoding } = payload
      const said = { topic: SOCKET_TOPICS.send, payload: { type, data, ...(encoding === undefined ? {} : { encoding }) } }
      for (const pid of attendance.pids()) if (!self.send(pid, said)) attendance.drop(pid)
    },
    end: () => attendance.stop(),
  }
}
