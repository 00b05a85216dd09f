/**
 * Small choices that outlive the page (station name, theme, language), as text under one prefix. Works without storage too: private
 * windows and full disks lose the choice, never the page. What a value means is left to whoever reads it.
 */

export interface RememberedSettings {
  /** The text under `name`; undefined when there is none or storage is out of reach. */
  read(name: string): string | undefined
  /** Harmless when storage is full or forbidden. @returns whether it outlives the page. */
  write(name: string, value: string): boolean
}

/** The part of `Storage` it needs. */
export interface TextStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

const PREFIX = 'semblante.'

/** @param openStorage may throw, as `localStorage` does where cookies are blocked. */
export function createRememberedSettings(openStorage: () => TextStorage): RememberedSettings {
  const held = new Map<string, string>()
  return {
    read(name) {
      const own = held.get(name)
      if (own !== undefined) return own
      try {
        return openStorage().getItem(PREFIX + name) ?? undefined
      } catch {
        return undefined
      }
    },
    write(name, value) {
      held.set(name, value)
      try {
        openStorage().setItem(PREFIX + name, value)
        return true
      } catch {
        // Kept in `held` for as long as the page lives.
        return false
      }
    },
  }
}
