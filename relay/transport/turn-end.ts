/** Calls back, once per turn of the event loop, what has something to send together. */

export interface TurnEnd {
  /** `flush` is called when the events of this turn are through. Ask once per turn. */
  add(member: { flushTurn(): void }): void
}

export function createTurnEnd(): TurnEnd {
  let waiting: { flushTurn(): void }[] = []
  function flush(): void {
    const members = waiting
    waiting = []
    for (const member of members) member.flushTurn()
  }
  return {
    add(member) {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push(member)
    },
  }
}
