/** Both pipelines behind one interface: a frame in, the leading emotion out. */
import type { Outcome } from '../duel.ts'

export interface Contestant {
  /** Takes the bitmap over. `time` is the film's. */
  analyse(frame: ImageBitmap, time: number): Promise<Outcome>
  close(): void
}
