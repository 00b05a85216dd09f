/** Takes over what another app shared with this one: the service worker has put it aside (web/public/share-target.js). */

const CACHE = 'semblante-shared'

/** The files, once: they are deleted here. Empty when nothing was shared, or nothing could be kept. Never rejects. */
export async function takeSharedFiles(caches: CacheStorage | undefined): Promise<readonly File[]> {
  try {
    const cache = await caches?.open(CACHE)
    const answers = (await cache?.matchAll()) ?? []
    return await Promise.all(answers.map(toFile))
  } catch {
    return []
  } finally {
    await forgetSharedFiles(caches)
  }
}

/** For what nobody came to take. Never rejects. */
export async function forgetSharedFiles(caches: CacheStorage | undefined): Promise<void> {
  await caches?.delete(CACHE).catch(() => false)
}

async function toFile(answer: Response): Promise<File> {
  const name = decodeURIComponent(answer.headers.get('x-file-name') ?? '')
  return new File([await answer.blob()], name, { type: answer.headers.get('content-type') ?? '' })
}
