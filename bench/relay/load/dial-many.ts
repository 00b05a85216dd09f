/** Opens many connections, a bounded number at a time. */
import type { Connection } from './connection.ts'

/** More at once would overflow the listen backlog of some. */
const AT_ONCE = 64

export async function dialMany(total: number, open: (index: number) => Promise<Connection>): Promise<Connection[]> {
  const connections: Connection[] = []
  let next = 0
  async function work(): Promise<void> {
    while (next < total) {
      const index = next
      next += 1
      connections.push(await open(index))
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, total) }, work))
  return connections
}
