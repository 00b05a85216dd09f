/** How large processes are, by the system's own books (`/proc`, so Linux only), and which of the browser's processes reads the faces. */
import { readFile } from 'node:fs/promises'
import type { BrowserContext } from '@playwright/test'

export interface BrowserProcesses {
  /** Resident bytes of the process that has the page and its worker. */
  readonly page: number
  /** Resident bytes of all its processes together; pages that several share are counted in each. */
  readonly all: number
}

/** @throws when the browser or the system does not tell. */
export async function openBrowserProcesses(context: BrowserContext): Promise<() => Promise<BrowserProcesses>> {
  const session = await context.browser()?.newBrowserCDPSession()
  if (session === undefined) throw new Error('This browser has no debugging session of its own.')
  return async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    // A spare renderer and that of the service worker do next to nothing.
    const busiest = processInfo.filter(({ type }) => type === 'renderer').sort((a, b) => b.cpuTime - a.cpuTime)[0]
    if (busiest === undefined) throw new Error('The browser names no renderer.')
    const sizes = await Promise.all(processInfo.map(({ id }) => readResidentBytes(id).catch(() => 0)))
    return { page: await readResidentBytes(busiest.id), all: sizes.reduce((sum, size) => sum + size, 0) }
  }
}

/** @throws when there is no such process. */
export async function readResidentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`The system does not say how large process ${String(pid)} is.`)
  return Number(kilobytes) * 1024
}
