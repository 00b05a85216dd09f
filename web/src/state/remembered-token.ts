/**
 * The administrator's token, kept for this tab only and only when the person wants it: it is gone when the tab closes, and other tabs
 * never see it. Works without storage too; then nothing is remembered.
 */

export interface RememberedToken {
  /** Undefined when none was kept or storage is out of reach. */
  read(): string | undefined
  keep(token: string): void
  forget(): void
}

/** The part of `Storage` it needs. */
export interface TabStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

const KEY = 'semblante.admin-token'

/** @param openStorage may throw, as `sessionStorage` does where cookies are blocked. */
export function createRememberedToken(openStorage: () => TabStorage): RememberedToken {
  function attempt<Value>(act: (storage: TabStorage) => Value): Value | undefined {
    try {
      return act(openStorage())
    } catch {
      // Blocked or full: the person types the token again.
      return undefined
    }
  }
  return {
    read: () => attempt((storage) => storage.getItem(KEY)) ?? undefined,
    keep(token) {
      attempt((storage) => {
        storage.setItem(KEY, token)
      })
    },
    forget() {
      attempt((storage) => {
        storage.removeItem(KEY)
      })
    },
  }
}
