/**
 * Tells the relay what was recorded, block by block, in order: the next only once this one is acknowledged. A block is told under a key of
 * its own, the same after a reload, so an answer that got lost costs nothing. Knows no socket.
 */
import type { PublishResult } from '#shared/client/publish-outbox'
import type { ErrorCode } from '#shared/protocol/errors'
import type { HistoryBatch } from '#shared/protocol/history'
import { lastOf, toBatch, toKey, type HistoryBlock } from './history-block.ts'

export interface HistorySyncDependencies {
  /** Blocks after `seq`, in order. */
  readonly readAfter: (seq: number, limit: number) => Promise<readonly HistoryBlock[]>
  readonly acknowledged: () => number
  /** Resolves once it is remembered, as far as it can be. */
  readonly acknowledge: (block: HistoryBlock) => Promise<void>
  /** Never rejects. */
  readonly publish: (batch: HistoryBatch, key: string) => Promise<PublishResult>
  readonly isOpen: () => boolean
  readonly mayShare: () => boolean
  readonly after: (delayMs: number, callback: () => void) => () => void
}

export interface HistorySync {
  /** There may be something to tell, or somebody to tell it to. Harmless at any time. */
  wake(): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
  /** Ends what comes after the block under way. Twice is harmless. */
  stop(): void
}

const BLOCKS_AT_ONCE = 32
const RETRY_MS = 15_000
/** This block will never be taken, the next may be: going on is better than waiting for ever. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['topic.invalid_payload', 'frame.too_large', 'key.conflict'])

export function createHistorySync(dependencies: HistorySyncDependencies): HistorySync {
  let running: Promise<void> | undefined
  let isWokenAgain = false
  let isStopped = false
  let cancelRetry: (() => void) | undefined

  const mayGoOn = (): boolean => !isStopped && dependencies.isOpen() && dependencies.mayShare()

  async function run(): Promise<void> {
    while (mayGoOn()) {
      const blocks = await dependencies.readAfter(dependencies.acknowledged(), BLOCKS_AT_ONCE)
      if (blocks.length === 0) return
      for (const block of blocks) {
        if (!mayGoOn()) return
        if (!(await tell(block))) {
          retryLater()
          return
        }
      }
    }
  }

  /** @returns whether the next one may follow. */
  async function tell(block: HistoryBlock): Promise<boolean> {
    // Erased, or told, since it was read.
    if (lastOf(block) <= dependencies.acknowledged()) return true
    if (block.isShared) {
      const result = await dependencies.publish(toBatch(block), toKey(block))
      if (result.kind === 'failed' && !HOPELESS.has(result.failure.code)) return false
    }
    await dependencies.acknowledge(block)
    return true
  }

  function retryLater(): void {
    cancelRetry?.()
    cancelRetry = isStopped ? undefined : dependencies.after(RETRY_MS, wake)
  }

  function wake(): void {
    cancelRetry?.()
    cancelRetry = undefined
    if (running !== undefined) {
      isWokenAgain = true
      return
    }
    isWokenAgain = false
    running = run().finally(() => {
      running = undefined
      if (isWokenAgain && mayGoOn()) wake()
    })
  }

  return {
    wake,
    async idle() {
      while (running !== undefined) await running
    },
    stop() {
      isStopped = true
      cancelRetry?.()
    },
  }
}
