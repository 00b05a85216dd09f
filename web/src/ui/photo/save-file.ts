/** Hands a file to the browser's downloads. Nothing leaves the device. */

/** Long enough for the browser to have begun reading it. */
const KEEP_MS = 60_000

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS)
}
