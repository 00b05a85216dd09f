/**
 * Whose picture is read next: first come, first served, so many at once as the backend reads. Of one connection that does not want every
 * answer only the newest waits. Bounded in pictures and bytes; what nobody waits for any more is not read. Knows no hub.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock, InferenceBackend, PictureToRead, ReadPicture } from '../../ports.ts'

export interface QueuedPicture {
  readonly picture: PictureToRead
  readonly sizeBytes: number
  /** The connection. */
  readonly from: string
  /** Not superseded by the next of the same connection. */
  readonly isKept: boolean
  /** After that nobody waits for the answer. */
  readonly deadlineMs: number
}

export interface PictureAnswer extends ReadPicture {
  readonly queuedMs: number
}

export interface Admission {
  /** Never rejects. */
  readonly answer: Promise<Result<PictureAnswer>>
  /** Nobody waits for it any more: unless it is being read, it is not. Harmless later. */
  cancel(): void
}

export interface PictureQueue {
  /** Fails at once with `vision.busy`. */
  add(queued: QueuedPicture): Result<Admission>
  waiting(): number
  /** Everything that waits fails with `vision.unavailable`; nothing is taken any more. */
  close(): void
}

export interface QueueLimits {
  readonly pictures: number
  readonly bytes: number
  /** Of one connection. */
  readonly picturesPerPeer: number
}

interface Entry extends QueuedPicture {
  readonly addedAt: number
  readonly settle: (result: Result<PictureAnswer>) => void
}

interface Options {
  readonly backend: Pick<InferenceBackend, 'slots' | 'read'>
  readonly clock: Clock
  readonly limits: QueueLimits
}

export function createPictureQueue({ backend, clock, limits }: Options): PictureQueue {
  // A backend that reads nothing says so itself.
  const slots = Math.max(1, backend.slots)
  /** In the order they came. */
  const waiting = new Set<Entry>()
  let waitingBytes = 0
  let reading = 0
  let isClosed = false

  function end(entry: Entry, result: Result<never>): void {
    if (!waiting.delete(entry)) return
    waitingBytes -= entry.sizeBytes
    entry.settle(result)
  }
  function dropLate(): void {
    const now = clock.now()
    for (const entry of waiting) {
      if (now - entry.addedAt >= entry.deadlineMs) end(entry, fail('request.deadline_passed', 'The picture was not read in time.'))
    }
  }
  function hasRoom({ from, sizeBytes }: QueuedPicture): boolean {
    if (waiting.size >= limits.pictures || waitingBytes + sizeBytes > limits.bytes) return false
    let own = 0
    for (const entry of waiting) if (entry.from === from) own += 1
    return own < limits.picturesPerPeer
  }
  async function read(entry: Entry): Promise<void> {
    const queuedMs = clock.now() - entry.addedAt
    const result = await backend.read(entry.picture)
    entry.settle(result.ok ? succeed({ ...result.value, queuedMs }) : result)
  }
  function readNext(): void {
    dropLate()
    for (const entry of waiting) {
      if (reading >= slots) return
      waiting.delete(entry)
      waitingBytes -= entry.sizeBytes
      reading += 1
      void read(entry).finally(() => {
        reading -= 1
        readNext()
      })
    }
  }
  function supersede(from: string): void {
    for (const entry of waiting) {
      if (entry.from !== from || entry.isKept) continue
      end(entry, fail('vision.superseded', 'A newer picture of this connection came before this one was read.'))
    }
  }

  return {
    add(queued) {
      if (isClosed) return fail('vision.unavailable', 'The relay is stopping.')
      if (!queued.isKept) supersede(queued.from)
      dropLate()
      if (!hasRoom(queued)) {
        return fail('vision.busy', `${String(waiting.size)} pictures wait already, which is as many as may. Send fewer, or later.`)
      }
      let settle: Entry['settle'] = () => {}
      const answer = new Promise<Result<PictureAnswer>>((resolve) => {
        settle = resolve
      })
      const entry: Entry = { ...queued, addedAt: clock.now(), settle }
      waiting.add(entry)
      waitingBytes += queued.sizeBytes
      readNext()
      return succeed({ answer, cancel: () => end(entry, fail('request.target_gone', 'Whoever asked has left.')) })
    },
    waiting: () => waiting.size,
    close() {
      isClosed = true
      for (const entry of waiting) end(entry, fail('vision.unavailable', 'The relay is stopping.'))
    },
  }
}
