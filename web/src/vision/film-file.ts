/**
 * Opens a video file and gives its pictures at chosen moments: by seeking, so that a slow tablet gets the same pictures as a fast one.
 * Works for recordings without an index too (what browsers record says neither how long it is nor where its pictures are). Which moments
 * and what for is left to the state.
 */

export type FilmFileResult = { readonly ok: true; readonly film: FilmFile } | { readonly ok: false }

export interface FilmFile {
  /** To be shown; its time is moved by `pictureAt`. */
  readonly video: HTMLVideoElement
  /** How long it is, above 0. */
  readonly seconds: number
  /** As shown, turned as the file says. Pixels. */
  readonly width: number
  readonly height: number
  /** Goes to that moment. One at a time. Never rejects; undefined when there is no picture. The picture is the receiver's to close. */
  pictureAt(seconds: number): Promise<ImageBitmap | undefined>
  /** Lets go of the file. Twice is harmless. */
  close(): void
}

/** A file on a slow card takes long; one that hangs still ends. */
const LIMIT_MS = 15_000
/** Behind the end of any film: the browser looks for the end and then knows how long it is. */
const BEHIND_THE_END_SECONDS = 1e8

/** Never rejects. */
export async function openFilmFile(file: Blob): Promise<FilmFileResult> {
  const video = document.createElement('video')
  const url = URL.createObjectURL(file)
  const close = (): void => {
    video.removeAttribute('src')
    video.load()
    URL.revokeObjectURL(url)
  }
  video.muted = true
  video.playsInline = true
  video.preload = 'auto'
  video.src = url
  const seconds = (await happens(video, 'loadeddata')) ? await measure(video) : Number.NaN
  const { videoWidth: width, videoHeight: height } = video
  // A sound recording in a video's clothes has no picture.
  if (!(seconds > 0) || !Number.isFinite(seconds) || width === 0) {
    close()
    return { ok: false }
  }
  return { ok: true, film: { video, seconds, width, height, pictureAt: (moment) => pictureAt(video, moment), close } }
}

async function measure(video: HTMLVideoElement): Promise<number> {
  if (video.duration !== Number.POSITIVE_INFINITY) return video.duration
  const known = happens(video, 'durationchange')
  const arrived = happens(video, 'seeked')
  video.currentTime = BEHIND_THE_END_SECONDS
  await Promise.race([known, arrived])
  await arrived
  return Number.isFinite(video.duration) ? video.duration : video.currentTime
}

async function pictureAt(video: HTMLVideoElement, seconds: number): Promise<ImageBitmap | undefined> {
  if (video.currentTime !== seconds) {
    const arrived = happens(video, 'seeked')
    video.currentTime = seconds
    if (!(await arrived)) return undefined
  }
  if (video.readyState < video.HAVE_CURRENT_DATA && !(await happens(video, 'canplay'))) return undefined
  return await createImageBitmap(video).catch(() => undefined)
}

/** @returns false when it fails instead, or does not come in time. */
function happens(video: HTMLVideoElement, event: 'loadeddata' | 'seeked' | 'canplay' | 'durationchange'): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (hasHappened: boolean): void => {
      clearTimeout(timer)
      video.removeEventListener(event, onEvent)
      video.removeEventListener('error', onError)
      resolve(hasHappened)
    }
    const onEvent = (): void => finish(true)
    const onError = (): void => finish(false)
    const timer = setTimeout(onError, LIMIT_MS)
    video.addEventListener(event, onEvent)
    video.addEventListener('error', onError)
  })
}
