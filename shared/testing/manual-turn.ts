/** The end of the event loop's turn, when a test says so. It has the shape of the relay's `LoopTurn` port. */

export interface ManualTurn {
  atEnd(callback: () => void): void
  /** Ends the turn, and those that begin because of it. */
  end(): void
}

/** Far more turns than any test means. */
const MAX_TURNS = 10_000

export function createManualTurn(): ManualTurn {
  let callbacks: (() => void)[] = []
  return {
    atEnd: (callback) => void callbacks.push(callback),
    end() {
      for (let turn = 0; callbacks.length > 0; turn += 1) {
        if (turn >= MAX_TURNS) throw new Error('the turns never end')
        const due = callbacks
        callbacks = []
        for (const callback of due) callback()
      }
    },
  }
}
