/** Runs what was put off until the end of the loop's turn, each task once, so that a socket's frames leave together. */
import type { LoopTurn } from '../ports.ts'

/** Must not throw. */
export interface TurnTask {
  endTurn(): void
}

export interface Flusher {
  /** The same task is run once, however often it is added. */
  add(task: TurnTask): void
}

export function createFlusher(turn: LoopTurn): Flusher {
  let tasks = new Set<TurnTask>()

  function run(): void {
    const due = tasks
    tasks = new Set()
    for (const task of due) task.endTurn()
  }
  return {
    add(task) {
      if (tasks.size === 0) turn.atEnd(run)
      tasks.add(task)
    },
  }
}
