/**
 * A WebSocket on its way to replace polling: `2probe`, `3probe`, `5`. Until the last one the client polls on and hears everything there; what is
 * sent between its last poll and the `5` waits and leaves over the WebSocket first. Whatever goes wrong before, polling goes on as if nothing had
 * been.
 */
import type { Clock, Socket, SocketListener } from '../../ports.ts'
import { PROBE_ANSWER, readPacket } from './engine-packet.ts'

export interface Upgrade {
  readonly listener: SocketListener
  /** Harmless when it is over. */
  cancel(): void
}

export interface UpgradeOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** The client may stop polling: a poll that waits must end. Called again until it does. */
  readonly onProbed: () => void
  readonly onGivenUp: () => void
  /** The WebSocket carries the connection from here on. @returns who hears it. */
  readonly onTaken: () => SocketListener
}

/** As Engine.IO's own server: a poll that the client opened before it knew of the answer ends after this at the latest. */
const RELEASE_MS = 100

export function createUpgrade(socket: Socket, { clock, timeoutMs, onProbed, onGivenUp, onTaken }: UpgradeOptions): Upgrade {
  let state: 'opened' | 'probed' | 'over' = 'opened'
  let taken: SocketListener | undefined
  let endReleases: () => void = () => undefined
  const cancelTimeout = clock.after(timeoutMs, cancel)

  function finish(): void {
    state = 'over'
    cancelTimeout()
    endReleases()
  }
  function cancel(): void {
    if (state === 'over') return
    finish()
    socket.close(1000, '')
    onGivenUp()
  }
  function onText(text: string): void {
    const packet = readPacket(text)
    if (packet.kind === 'ping' && packet.text === 'probe') {
      state = 'probed'
      socket.sendText(PROBE_ANSWER)
      endReleases()
      endReleases = clock.every(RELEASE_MS, onProbed)
      onProbed()
    } else if (packet.kind === 'upgrade' && state === 'probed') {
      finish()
      taken = onTaken()
    } else cancel()
  }
  return {
    cancel,
    listener: {
      onText(text) {
        if (taken !== undefined) taken.onText(text)
        else if (state !== 'over') onText(text)
      },
      onBinary(bytes) {
        if (taken === undefined) cancel()
        else taken.onBinary(bytes)
      },
      onTooLarge(sizeBytes) {
        if (taken === undefined) cancel()
        else taken.onTooLarge(sizeBytes)
      },
      onPong: () => taken?.onPong(),
      onDrain: () => taken?.onDrain(),
      onClose(code) {
        if (taken === undefined) cancel()
        else taken.onClose(code)
      },
    },
  }
}
