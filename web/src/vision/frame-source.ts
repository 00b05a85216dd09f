/**
 * Takes frames from a playing video and hands them on, at most one per new picture and only when somebody wants one, so that the
 * main thread does next to nothing. Browsers tell no pictures of a page that is hidden or covered: there a timer looks once a second whether
 * there is a new one. What is done with a frame is left to the receiver, who owns it and must close or transfer it.
 */

export interface FrameSourceOptions {
  readonly video: HTMLVideoElement
  /** Asked before a frame is taken; false skips this picture at no cost. Pass `() => client.isIdle`. */
  readonly isWanted: () => boolean
  /** Gets the frame (to transfer or close) and when it was taken, `Date.now()` clock. Pass `client.submit`. */
  readonly onFrame: (frame: ImageBitmap | VideoFrame, time: number) => void
}

export interface FrameSource {
  start(): void
  /** No frame is handed on after this returns. Harmless when stopped. */
  stop(): void
  /** Pictures the camera showed since `start`, taken or not: the display's frame rate is its growth per second. */
  readonly shownCount: number
}

/** Browsers fire the timers of hidden pages no more often. */
const UNTOLD_CHECK_MS = 1000

export function createFrameSource(options: FrameSourceOptions): FrameSource {
  const { video } = options
  const hasFrameCallback = 'requestVideoFrameCallback' in video
  let generation = 0
  let isTaking = false
  let isRunning = false
  let handle = 0
  let shownCount = 0
  let lastMediaTime = -1
  let isTold = false
  let decodedCount = 0
  let checkTimer: ReturnType<typeof setInterval> | undefined

  function schedule(): void {
    handle = hasFrameCallback ? video.requestVideoFrameCallback(onPicture) : requestAnimationFrame(onRefresh)
  }

  function onRefresh(): void {
    if (video.currentTime !== lastMediaTime) {
      lastMediaTime = video.currentTime
      isTold = true
      takePicture()
    }
    if (isRunning) schedule()
  }

  function onPicture(): void {
    isTold = true
    takePicture()
    if (isRunning) schedule()
  }

  /** The same picture twice would be told as something new: only where the browser has decoded another one since. */
  function takeUntold(): void {
    const decoded = video.getVideoPlaybackQuality().totalVideoFrames
    if (!isTold && decoded !== decodedCount) takePicture()
    decodedCount = decoded
    isTold = false
  }

  function takePicture(): void {
    shownCount += 1
    if (isTaking || video.readyState < video.HAVE_CURRENT_DATA || video.videoWidth === 0 || !options.isWanted()) return
    const time = Date.now()
    const frame = takeVideoFrame(video)
    if (frame === null) void takeBitmap(time)
    else options.onFrame(frame, time)
  }

  async function takeBitmap(time: number): Promise<void> {
    const startedIn = generation
    isTaking = true
    try {
      const bitmap = await createImageBitmap(video)
      if (startedIn === generation && isRunning) options.onFrame(bitmap, time)
      else bitmap.close()
    } catch {
      // The video lost its picture between the callback and here; the next picture tries again.
    } finally {
      isTaking = false
    }
  }

  return {
    get shownCount() {
      return shownCount
    },
    start() {
      if (isRunning) return
      isRunning = true
      generation += 1
      shownCount = 0
      isTold = true
      schedule()
      checkTimer = setInterval(takeUntold, UNTOLD_CHECK_MS)
    },
    stop() {
      if (!isRunning) return
      isRunning = false
      generation += 1
      clearInterval(checkTimer)
      if (hasFrameCallback) video.cancelVideoFrameCallback(handle)
      else cancelAnimationFrame(handle)
    },
  }
}

/** A reference to the decoder's own picture, without a copy; null where the browser has no `VideoFrame` or refuses. */
function takeVideoFrame(video: HTMLVideoElement): VideoFrame | null {
  if (typeof VideoFrame === 'undefined') return null
  try {
    return new VideoFrame(video)
  } catch {
    return null
  }
}
