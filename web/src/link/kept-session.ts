/**
 * The anonymous session of this tab, kept over a reload: keys of publishes belong to whoever published, so a page that comes back as
 * somebody else would tell twice what was on its way. Gone when the tab closes.
 */

/** The part of `Storage` it needs. */
export interface SessionStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

const KEY = 'semblante.session-token'

/**
 * @param acquire gets a new token. @param openStorage may throw, as `sessionStorage` does where cookies are blocked.
 * @returns as `acquireToken` of the client: the kept token first, and a new one whenever it asks again, as after a refusal.
 */
export function keepSession(acquire: () => Promise<string>, openStorage: () => SessionStorage): () => Promise<string> {
  let isFirst = true
  return async () => {
    const kept = isFirst ? attempt(() => openStorage().getItem(KEY)) : undefined
    isFirst = false
    if (typeof kept === 'string' && kept !== '') return kept
    const token = await acquire()
    attempt(() => openStorage().setItem(KEY, token))
    return token
  }
}

function attempt<Value>(act: () => Value): Value | undefined {
  try {
    return act()
  } catch {
    // Blocked or full: the next page is somebody else.
    return undefined
  }
}
