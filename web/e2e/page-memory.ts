/**
 * What a page holds, asked of the browser over its debugging protocol after a garbage collection, so that two samples can be compared.
 * How large its process is on the whole is left to the benchmark (bench/memory).
 */
import type { Page } from '@playwright/test'

export interface PageMemory {
  /** Live objects of the page's own thread. */
  readonly heapBytes: number
  /** What array buffers of that thread hold beside it. */
  readonly bufferBytes: number
  readonly domNodes: number
  readonly listeners: number
}

export interface PageMemoryProbe {
  sample(): Promise<PageMemory>
}

export async function openPageMemory(page: Page): Promise<PageMemoryProbe> {
  const session = await page.context().newCDPSession(page)
  return {
    async sample() {
      // What the first collection finds unused and must be told so goes with the second.
      for (let time = 0; time < 2; time += 1) await session.send('HeapProfiler.collectGarbage')
      const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage')
      const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters')
      return { heapBytes: usedSize, bufferBytes: backingStorageSize, domNodes: nodes, listeners: jsEventListeners }
    },
  }
}
