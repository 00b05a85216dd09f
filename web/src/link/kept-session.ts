/**
 * The anonymous session of this tab, kept over a reload: keys of publishes belong to whoever published, so a page that comes back as
 * somebody else would tell twice what was on its way. Gone when the tab closes.
 */

/** What outlives a reload; harmless where nothing does: the next page is somebody else then. */
export interface TabMemory {
  read(name: string): string | undefined
  write(name: string, value: string): unknown
}

const NAME = 'session-token'

/**
 * @param acquire gets a new token.
 * @returns as `acquireToken` of the client: the kept token first, and a new one whenever it asks again, as after a refusal.
 */
export function keepSession(acquire: () => Promise<string>, memory: TabMemory): () => Promise<string> {
  let isFirst = true
  return async () => {
    const kept = isFirst ? memory.read(NAME) : undefined
    isFirst = false
    if (kept !== undefined && kept !== '') return kept
    const token = await acquire()
    memory.write(NAME, token)
    return token
  }
}
