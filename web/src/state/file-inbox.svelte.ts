/** Files on their way to the photo page, wherever they came from: dropped on any page, pasted, opened from the system, shared. In memory only. */

/** What comes at once; the rest is left behind. */
const MAX_WAITING = 100

export class FileInbox {
  readonly #openPage: () => void
  #waiting = $state.raw<readonly File[]>([])

  constructor(openPage: () => void) {
    this.#openPage = openPage
  }

  /** Not taken yet. */
  get waiting(): readonly File[] {
    return this.#waiting
  }

  /** Opens the page that takes them. Harmless without files. */
  put(files: readonly File[]): void {
    if (files.length === 0) return
    this.#waiting = [...this.#waiting, ...files].slice(0, MAX_WAITING)
    this.#openPage()
  }

  take(): readonly File[] {
    const files = this.#waiting
    this.#waiting = []
    return files
  }
}

export function createFileInbox(openPage: () => void): FileInbox {
  return new FileInbox(openPage)
}
