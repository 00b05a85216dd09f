/** Couriers in memory, for tests: one broker that can be cut off for all or for one relay, and that loses what a test tells it to lose. */
import type { Courier, CourierListener, Sending } from '../courier.ts'

export interface MemoryBroker {
  open(relayId: string): Courier
  /** Hands over what is under way, and what that causes, until nothing is. */
  settle(): Promise<void>
  /** From now on the relay is not reached, until `heal`. Without a name: nobody is. */
  cut(relayId?: string): void
  heal(relayId?: string): void
  /** Texts for this relay are lost on the way while it says so; it stays connected. */
  loseFor(relayId: string, isLost: (text: string) => boolean): void
  /** Takes no longer texts. */
  limit(maxChars: number): void
}

interface Member {
  listener: CourierListener | undefined
  isConnected: boolean
  isLost: (text: string) => boolean
  flushes: (() => void)[]
}

/** Far more than any test means: two relays that answer each other without end are a defect. */
const MAX_DELIVERIES = 100_000

export function createMemoryBroker(): MemoryBroker {
  const members = new Map<string, Member>()
  let underWay: { readonly from: string; readonly to: string; readonly text: string }[] = []
  let delivered = 0
  let maxChars = Number.POSITIVE_INFINITY

  function send(from: string, to: string | undefined, text: string): Sending {
    if (members.get(from)?.isConnected !== true) return 'lost'
    if (text.length > maxChars) return 'tooLarge'
    for (const relayId of to === undefined ? members.keys() : [to]) if (relayId !== from) underWay.push({ from, to: relayId, text })
    return 'sent'
  }
  function each(relayId: string | undefined, change: (member: Member) => void): void {
    for (const [id, member] of members) if (relayId === undefined || relayId === id) change(member)
  }
  return {
    open(relayId) {
      const member: Member = { listener: undefined, isConnected: false, isLost: () => false, flushes: [] }
      members.set(relayId, member)
      return {
        relayId,
        start(listener) {
          member.listener = listener
          member.isConnected = true
          listener.onConnected()
        },
        sendToAll: (text) => send(relayId, undefined, text),
        sendTo: (to, text) => send(relayId, to, text),
        flush: () => Promise.resolve(member.isConnected),
        stop() {
          member.isConnected = false
          member.listener = undefined
          return Promise.resolve()
        },
      }
    },
    limit(chars) {
      maxChars = chars
    },
    async settle() {
      for (let rounds = 0; rounds < 5; rounds += 1) {
        // What waits for a confirmation or a microtask sends in the next round.
        await new Promise((resolve) => setImmediate(resolve))
        while (underWay.length > 0) {
          const due = underWay
          underWay = []
          for (const { from, to, text } of due) {
            const member = members.get(to)
            if (member?.isConnected !== true || member.isLost(text)) continue
            delivered += 1
            if (delivered > MAX_DELIVERIES) throw new Error('the relays answer each other without end')
            member.listener?.onText(from, text)
          }
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    },
    cut(relayId) {
      each(relayId, (member) => {
        member.isConnected = false
        member.listener?.onLost('cut off by the test')
      })
    },
    heal(relayId) {
      each(relayId, (member) => {
        member.isConnected = true
        member.listener?.onConnected()
      })
    },
    loseFor(relayId, isLost) {
      each(relayId, (member) => {
        member.isLost = isLost
      })
    },
  }
}
