/** The wire between a simulated carousel and its reader, and what can be wrong with it. Times are the clock's, so a test turns them. */
import type { Clock, PlcWriteResult } from '../../ports.ts'

/**
 * - `unreachable`: every attempt fails at once.
 * - `silent`: nothing ever comes back, as when the cable is pulled: no reset, no end.
 * - `slow`: what is asked comes `delayMs` later.
 * - `garbage`: what comes back is no answer, or one that cannot be.
 * - `deafAfterSend`: commands arrive, their acknowledgement does not.
 * - `refuses`: it can be read, and takes no commands.
 */
export type WireFault =
  | { readonly kind: 'unreachable' | 'silent' | 'garbage' | 'deafAfterSend' | 'refuses' }
  | { readonly kind: 'slow'; readonly delayMs: number }

export interface FaultyWire {
  setFault(fault: WireFault | undefined): void
  /** @param spoil what becomes of an answer that is garbled. */
  carry<Answer>(ask: () => Answer, spoil: (answer: Answer) => Answer): Promise<Answer | Unreachable>
  /** Brings one command. */
  deliver(obey: () => void): Promise<PlcWriteResult>
  /** Ends what waits: it fails. */
  letGo(): void
}

interface Unreachable {
  readonly ok: false
  readonly problem: string
  readonly isSent: false
}

const UNREACHABLE: Unreachable = { ok: false, problem: 'The simulated carousel does not answer.', isSent: false }

export function createFaultyWire(clock: Clock): FaultyWire {
  let fault: WireFault | undefined
  const waiting = new Set<() => void>()

  /** @param delayMs undefined: until it is let go. */
  function wait(delayMs: number | undefined): Promise<'passed' | 'ended'> {
    return new Promise((resolve) => {
      let cancel = (): void => undefined
      const end = (how: 'passed' | 'ended'): void => {
        cancel()
        waiting.delete(letGo)
        resolve(how)
      }
      const letGo = (): void => end('ended')
      waiting.add(letGo)
      if (delayMs !== undefined) cancel = clock.after(delayMs, () => end('passed'))
    })
  }
  return {
    setFault(next) {
      fault = next
    },
    async carry(ask, spoil) {
      if (fault === undefined) return ask()
      if (fault.kind === 'unreachable') return UNREACHABLE
      if (fault.kind === 'silent' && (await wait(undefined)) === 'ended') return UNREACHABLE
      if (fault.kind === 'slow' && (await wait(fault.delayMs)) === 'ended') return UNREACHABLE
      return fault.kind === 'garbage' ? spoil(ask()) : ask()
    },
    async deliver(obey) {
      if (fault?.kind === 'unreachable') return UNREACHABLE
      if (fault?.kind === 'refuses') return { ok: false, problem: 'It does not take this command.', isSent: false, isUnsupported: true }
      if (fault?.kind === 'silent') {
        await wait(undefined)
        return { ok: false, problem: 'Nothing came back.', isSent: true }
      }
      if (fault?.kind === 'slow' && (await wait(fault.delayMs)) === 'ended')
        return { ok: false, problem: 'Nothing came back.', isSent: true }
      obey()
      if (fault?.kind === 'deafAfterSend' || fault?.kind === 'garbage')
        return { ok: false, problem: 'No acknowledgement came.', isSent: true }
      return { ok: true }
    },
    letGo() {
      for (const end of [...waiting]) end()
    },
  }
}
