/** Puts together what a tablet in kiosk mode needs. Fetched there, and when the settings are opened. */
import { createPinLock } from './state/pin-lock.ts'
import type { KioskParts, KioskState } from './state/kiosk-state.svelte.ts'
import type { RememberedSettings } from './state/remembered-settings.ts'
import KioskLayer from './ui/kiosk/KioskLayer.svelte'
import KioskSection from './ui/kiosk/KioskSection.svelte'
import PinGate from './ui/kiosk/PinGate.svelte'

export function createKioskParts(kiosk: KioskState, remembered: RememberedSettings): KioskParts {
  const subtle: unknown = Reflect.get(crypto, 'subtle')
  const lock = createPinLock({
    remembered,
    crypto: {
      getRandomValues: (array) => crypto.getRandomValues(array),
      subtle: subtle instanceof SubtleCrypto ? subtle : undefined,
    },
    now: Date.now,
  })
  // Its PIN is gone, as after a storage that could keep only half: a lock without a key would keep everybody out.
  if (kiosk.isOn && !lock.hasPin) kiosk.turnOff()
  return { PinGate, Layer: KioskLayer, Section: KioskSection, lock }
}
