/**
 * Photos and videos that somebody gave to be read: a queue, read one after the other on the tablet. Nothing is stored and nothing is sent;
 * when the page is left everything is forgotten. Opening files and running networks is left to `vision/`.
 */
import type { FilmFile, FilmFileResult } from '../vision/film-file.ts'
import { findFileKind, findFileProblem, type PictureFileResult } from '../vision/picture-file.ts'
import type { PictureAnswer, PictureReader } from '../vision/picture-reader.ts'
import { PhotoItem, type PhotoStatus } from './photo-item.svelte.ts'

export interface PhotoStateDependencies {
  readonly reader: PictureReader
  openPicture(file: File): Promise<PictureFileResult>
  openFilm(file: File): Promise<FilmFileResult>
  /** What another app shared; once. */
  takeShared(): Promise<readonly File[]>
  /** Milliseconds, never going back. */
  now(): number
}

/** Files on the page at once; more are turned away until some are removed. */
export const MAX_FILES = 20
/** Of a film; a longer one is looked at less often. */
export const MAX_FILM_PICTURES = 600
/** A short film is looked at five times a second. */
export const SHORTEST_STEP_SECONDS = 0.2
/** Before that an estimate of the time left jumps. */
const ESTIMATE_FROM_PICTURES = 4

export class PhotoState {
  readonly #dependencies: PhotoStateDependencies
  #items = $state.raw<readonly PhotoItem[]>([])
  #turnedAway = $state(0)
  #missedShare = $state(false)
  #model = $state('')
  #lastId = 0
  #isWorking = false

  constructor(dependencies: PhotoStateDependencies) {
    this.#dependencies = dependencies
  }

  /** As they came, at most {@link MAX_FILES}. */
  get items(): readonly PhotoItem[] {
    return this.#items
  }

  /** How many files of the last addition found no room. */
  get turnedAway(): number {
    return this.#turnedAway
  }

  /** Another app shared something and nothing of it arrived. */
  get missedShare(): boolean {
    return this.#missedShare
  }

  /** Name and version of the network that read; empty before the first. */
  get model(): string {
    return this.#model
  }

  /** The page is open until the returned function is called; then everything is forgotten. */
  start(): () => void {
    return () => {
      this.clear()
      this.#dependencies.reader.close()
    }
  }

  add(files: readonly File[]): void {
    const room = Math.max(0, MAX_FILES - this.#items.length)
    this.#turnedAway = Math.max(0, files.length - room)
    this.#missedShare = false
    this.#items = [...this.#items, ...files.slice(0, room).map((file) => this.#toItem(file))]
    void this.#work()
  }

  /** Takes what another app shared, and says so when there is nothing. */
  async addShared(): Promise<void> {
    const files = await this.#dependencies.takeShared()
    if (files.length > 0) this.add(files)
    else this.#missedShare = true
  }

  /** Ends reading a film early; what was read stays. */
  stopReading(item: PhotoItem): void {
    item.stop()
  }

  remove(item: PhotoItem): void {
    item.close()
    this.#items = this.#items.filter((other) => other !== item)
    this.#turnedAway = 0
  }

  clear(): void {
    for (const item of this.#items) item.close()
    this.#items = []
    this.#turnedAway = 0
    this.#missedShare = false
  }

  #toItem(file: File): PhotoItem {
    this.#lastId += 1
    const item = new PhotoItem({ id: this.#lastId, file, fileKind: findFileKind(file) })
    const problem = findFileProblem(file)
    if (problem !== undefined) item.setStatus({ kind: 'failed', problem })
    return item
  }

  /** One file at a time, oldest first. */
  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      item.setStatus({ kind: 'reading', done: 0, secondsLeft: undefined })
      this.#dependencies.reader.reset()
      item.setStatus(await (item.fileKind === 'film' ? this.#readFilm(item) : this.#readPicture(item)))
    }
    this.#isWorking = false
  }

  #next(): PhotoItem | undefined {
    return this.#items.find((item) => item.status.kind === 'waiting' && !item.isStopped())
  }

  async #readPicture(item: PhotoItem): Promise<PhotoStatus> {
    const opened = await this.#dependencies.openPicture(item.file)
    if (!opened.ok) return { kind: 'failed', problem: opened.problem }
    const { width, height } = opened.picture
    item.setSize({ width, height })
    return (await this.#read(item, opened.picture, 0)) ?? { kind: 'read', isComplete: true }
  }

  async #readFilm(item: PhotoItem): Promise<PhotoStatus> {
    const opened = await this.#dependencies.openFilm(item.file)
    if (!opened.ok) return { kind: 'failed', problem: 'undecodable' }
    const { film } = opened
    // Removed while it was being opened.
    if (item.isStopped()) {
      film.close()
      return { kind: 'read', isComplete: false }
    }
    item.setFilm(film)
    return await this.#readPictures(item, film)
  }

  async #readPictures(item: PhotoItem, film: FilmFile): Promise<PhotoStatus> {
    const { now } = this.#dependencies
    const moments = toMoments(film.seconds)
    const startedAt = now()
    for (const [index, seconds] of moments.entries()) {
      if (item.isStopped()) break
      const picture = await film.pictureAt(seconds)
      const failure = picture === undefined ? undefined : await this.#read(item, picture, seconds)
      if (failure !== undefined) return item.isStopped() ? { kind: 'read', isComplete: false } : failure
      const done = (index + 1) / moments.length
      const elapsedSeconds = (now() - startedAt) / 1000
      const secondsLeft = index + 1 < ESTIMATE_FROM_PICTURES ? undefined : (elapsedSeconds / done) * (1 - done)
      item.setStatus({ kind: 'reading', done, secondsLeft })
    }
    if (item.samples.length === 0 && !item.isStopped()) return { kind: 'failed', problem: 'undecodable' }
    return { kind: 'read', isComplete: !item.isStopped() }
  }

  /** @returns why it could not be read. */
  async #read(item: PhotoItem, picture: ImageBitmap, seconds: number): Promise<PhotoStatus | undefined> {
    const answer: PictureAnswer = await this.#dependencies.reader.read(picture, seconds * 1000)
    if (!answer.ok) return { kind: 'failed', problem: 'reader', ...(answer.error === undefined ? {} : { code: answer.error.code }) }
    this.#model = answer.model
    item.addSample({ seconds, faces: answer.analysis.faces })
    return undefined
  }
}

/** Evenly over the film, in seconds, the first at 0. */
export function toMoments(filmSeconds: number): readonly number[] {
  const step = Math.max(SHORTEST_STEP_SECONDS, filmSeconds / MAX_FILM_PICTURES)
  return Array.from({ length: Math.max(1, Math.min(MAX_FILM_PICTURES, Math.ceil(filmSeconds / step))) }, (_, index) => index * step)
}

export function createPhotoState(dependencies: PhotoStateDependencies): PhotoState {
  return new PhotoState(dependencies)
}
