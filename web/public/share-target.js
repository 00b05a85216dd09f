/**
 * Part of the service worker (vite.config.ts, `importScripts`): files shared from another app arrive here as a form and never reach the
 * network. They are put aside for the page that opens next, which takes them and deletes them (web/src/state/shared-files.ts). Reading
 * them is left to that page. Plain JavaScript, because the service worker loads it as it is.
 */
{
  /** As `share_target` of the manifest says. */
  const SHARE_PATH = '/photo'
  const SHARE_FIELD = 'files'
  const CACHE = 'semblante-shared'
  /** As many as the page takes. */
  const MAX_FILES = 20

  self.addEventListener('fetch', (event) => {
    const { method, url } = event.request
    if (method === 'POST' && new URL(url).pathname === SHARE_PATH) event.respondWith(takeShare(event.request))
  })

  /** The page says it when nothing came. */
  async function takeShare(request) {
    await keepFiles(request).catch(() => caches.delete(CACHE))
    return Response.redirect('/#/photo/shared', 303)
  }

  async function keepFiles(request) {
    const form = await request.formData()
    const files = form.getAll(SHARE_FIELD).filter((entry) => entry instanceof File && entry.size > 0)
    await caches.delete(CACHE)
    const cache = await caches.open(CACHE)
    for (const [index, file] of files.slice(0, MAX_FILES).entries()) {
      const headers = { 'content-type': file.type, 'x-file-name': encodeURIComponent(file.name) }
      await cache.put(`${SHARE_PATH}/${index}`, new Response(file, { headers }))
    }
  }
}
