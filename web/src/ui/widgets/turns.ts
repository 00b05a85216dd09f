/** Puts a long page up one piece per frame, so that it answers to touch while it grows. */

const waiting = new Set<() => void>()
let frame = 0

/** Runs `work` once, in a task of its own after those asked for before it. @returns takes it back. */
export function takeTurn(work: () => void): () => void {
  waiting.add(work)
  schedule()
  return () => void waiting.delete(work)
}

function schedule(): void {
  // After the frame that shows the piece before: work done before it would only make that frame longer.
  frame ||= requestAnimationFrame(() => setTimeout(next))
}

function next(): void {
  frame = 0
  for (const work of waiting) {
    waiting.delete(work)
    work()
    break
  }
  if (waiting.size > 0) schedule()
}
