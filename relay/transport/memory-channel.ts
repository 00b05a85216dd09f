/** Sockets of the memory transport that get the same frames. Nothing is gained by it here: it behaves as the real ones do. */
import type { Channel, Socket } from '../ports.ts'

/** @param isOpen says whether a socket is one of the transport's own and not closed. */
export function createMemoryChannel(isOpen: (socket: Socket) => boolean): Channel {
  const members = new Set<Socket>()
  return {
    join(socket) {
      if (isOpen(socket)) members.add(socket)
    },
    leave: (socket) => void members.delete(socket),
    send(utf8) {
      for (const socket of members) {
        if (isOpen(socket)) socket.sendText(utf8)
        else members.delete(socket)
      }
    },
  }
}
