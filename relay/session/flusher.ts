/** Runs what was put off until the end of the loop's turn, each task once, so that a socket's frames leave together. */
import type { LoopTurn } from '../ports.ts'

export interface Flusher {
  /** The same function is run once, however often it is added. Tasks must not throw. */
  add(task: () => void): void
}

export function createFlusher(turn: LoopTurn): Flusher {
  let tasks = new Set<() => void>()

  function run(): void {
    const due = tasks
    tasks = new Set()
    for (const task of due) task()
  }
  return {
    add(task) {
      if (tasks.size === 0) turn.atEnd(run)
      tasks.add(task)
    },
  }
}
