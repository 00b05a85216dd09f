/** Files that the system opened with the app (`file_handlers` of the manifest). Quiet where the browser has no launch queue. */

/** @param onFiles called with each launch that brings files, those before this call included (Launch Handler API). */
export function listenToLaunches(onFiles: (files: readonly File[]) => void): void {
  const queue: unknown = Reflect.get(window, 'launchQueue')
  if (typeof queue !== 'object' || queue === null) return
  const setConsumer: unknown = Reflect.get(queue, 'setConsumer')
  if (typeof setConsumer !== 'function') return
  const consume = (launch: unknown): void => void openFiles(launch).then(onFiles)
  Reflect.apply(setConsumer, queue, [consume])
}

async function openFiles(launch: unknown): Promise<readonly File[]> {
  const handles: unknown = typeof launch === 'object' && launch !== null ? Reflect.get(launch, 'files') : undefined
  if (!Array.isArray(handles)) return []
  const opened = await Promise.all(
    handles.map(async (handle) => (handle instanceof FileSystemFileHandle ? await handle.getFile().catch(() => undefined) : undefined)),
  )
  return opened.filter((file) => file !== undefined)
}
