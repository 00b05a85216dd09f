/**
 * Carries texts between the relays of one cluster. Knows nothing of what they mean and keeps nothing: what is said while the broker is away is
 * lost, and whoever says it keeps it. Texts of one sender arrive in order, each at most once.
 */

/** `lost`: there is no connection. `tooLarge`: the broker takes no text of that length, now or later. */
export type Sending = 'sent' | 'lost' | 'tooLarge'

export interface Courier {
  /** Another one at each start of the process, so that nobody takes its numbers for continued ones. */
  readonly relayId: string
  /** Connects in the background and again whenever the connection breaks. Never throws. */
  start(listener: CourierListener): void
  sendToAll(text: string): Sending
  /** As `sendToAll`, for one relay. Nothing tells whether it is there. */
  sendTo(relayId: string, text: string): Sending
  /** @returns once the broker has everything said before: true; false when the connection broke first. Never rejects. */
  flush(): Promise<boolean>
  /** Twice is harmless. */
  stop(): Promise<void>
}

/** No call may throw. */
export interface CourierListener {
  /** @param from the sender's id; never one's own. */
  onText(from: string, text: string): void
  onConnected(): void
  /** Called when it breaks, when the first one fails, and when the reason changes; `problem` is a sentence for the operator, never a secret. */
  onLost(problem: string): void
}
