/** How many conversations may be under way: in all, and for one user. */

export interface ChatPlaces {
  /** @returns gives the place back (twice is harmless), or undefined when there is none. */
  take(subject: string): (() => void) | undefined
  taken(): number
}

export function createChatPlaces({ perUser, inAll }: { readonly perUser: number; readonly inAll: number }): ChatPlaces {
  const bySubject = new Map<string, number>()
  let taken = 0
  function giveBack(subject: string): void {
    taken -= 1
    const left = (bySubject.get(subject) ?? 0) - 1
    if (left > 0) bySubject.set(subject, left)
    else bySubject.delete(subject)
  }
  return {
    take(subject) {
      const own = bySubject.get(subject) ?? 0
      if (taken >= inAll || own >= perUser) return undefined
      taken += 1
      bySubject.set(subject, own + 1)
      let isTaken = true
      return () => {
        if (isTaken) giveBack(subject)
        isTaken = false
      }
    },
    taken: () => taken,
  }
}
