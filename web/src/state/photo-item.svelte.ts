/** One file on the photo page and what became of it. Reading it is left to `photo-state.svelte.ts`. */
import type { FilmFile } from '../vision/film-file.ts'
import type { FileKind, FileProblem } from '../vision/picture-file.ts'
import type { PictureSample } from './film-summary.ts'

export type { FileKind }

/** `reader`: the networks could not be run; `code` says why. */
export type PhotoProblem = FileProblem | 'reader'

export type PhotoStatus =
  | { readonly kind: 'waiting' }
  /** `done`: 0 to 1. `secondsLeft` is an estimate, undefined until there is something to estimate from. */
  | { readonly kind: 'reading'; readonly done: number; readonly secondsLeft: number | undefined }
  /** `isComplete` is false where somebody ended it early. */
  | { readonly kind: 'read'; readonly isComplete: boolean }
  | { readonly kind: 'failed'; readonly problem: PhotoProblem; readonly code?: string }

export interface PhotoFacts {
  readonly id: number
  readonly file: File
  /** Undefined for what is neither a photo nor a video. */
  readonly fileKind: FileKind | undefined
}

export class PhotoItem {
  readonly id: number
  readonly file: File
  readonly fileKind: FileKind | undefined
  #status = $state.raw<PhotoStatus>({ kind: 'waiting' })
  #samples = $state.raw<readonly PictureSample[]>([])
  #size = $state.raw<{ readonly width: number; readonly height: number } | undefined>()
  #film = $state.raw<FilmFile | undefined>()
  #isStopped = false

  constructor({ id, file, fileKind }: PhotoFacts) {
    this.id = id
    this.file = file
    this.fileKind = fileKind
  }

  get name(): string {
    return this.file.name
  }

  get status(): PhotoStatus {
    return this.#status
  }

  /** What was read; of a photo one, of a film as many as there are so far, oldest first. */
  get samples(): readonly PictureSample[] {
    return this.#samples
  }

  /** Pixels, turned as the file says. Undefined until it was opened. */
  get size(): { readonly width: number; readonly height: number } | undefined {
    return this.#size
  }

  /** Undefined for photos, and until it was opened. */
  get film(): FilmFile | undefined {
    return this.#film
  }

  /** Whether reading it is to end. */
  isStopped(): boolean {
    return this.#isStopped
  }

  setStatus(status: PhotoStatus): void {
    this.#status = status
  }

  setSize(size: { readonly width: number; readonly height: number }): void {
    this.#size = size
  }

  setFilm(film: FilmFile): void {
    this.#film = film
    this.#size = { width: film.width, height: film.height }
  }

  addSample(sample: PictureSample): void {
    this.#samples = [...this.#samples, sample]
  }

  /** Ends reading after the picture that is under way. What was read stays. */
  stop(): void {
    this.#isStopped = true
  }

  /** Lets go of the file. */
  close(): void {
    this.#isStopped = true
    this.#film?.close()
  }
}
