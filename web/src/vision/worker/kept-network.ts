/**
 * The last other network that could be used, with what named it, kept in the browser so that it works without the server too. The one that
 * ships is the service worker's. Holds one network: what belongs to another is deleted when one is kept.
 */

export interface KeptFiles {
  /** The kept copy; undefined where there is none or the browser keeps nothing. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Keeps these files and nothing else. Harmless where the browser keeps nothing. */
  replace(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<void>
}

const CACHE_NAME = 'semblante-network'

/** @param caches undefined where the page is not secure; there is no camera either then. */
export function createKeptFiles(caches: CacheStorage | undefined): KeptFiles {
  /** A full disk, or a private window that allows no storage, must not keep anybody from reading faces. */
  async function attempt<Value>(work: (cache: Cache) => Promise<Value>): Promise<Value | undefined> {
    try {
      return caches === undefined ? undefined : await work(await caches.open(CACHE_NAME))
    } catch {
      return undefined
    }
  }
  return {
    read: (key) =>
      attempt(async (cache) => {
        const response = await cache.match(key)
        return response === undefined ? undefined : new Uint8Array(await response.arrayBuffer())
      }),
    async replace(files) {
      await attempt(async (cache) => {
        const wanted = new Set([...files.keys()].map((key) => new URL(key, self.location.href).href))
        for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request)
        for (const [key, bytes] of files) await cache.put(key, new Response(bytes))
      })
    },
  }
}
