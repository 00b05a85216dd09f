/**
 * Reads pictures one by one with a vision worker of its own, so that a camera that is being read meanwhile keeps its worker, its faces and
 * its smoothing. Starts the worker with the first picture. Where pictures come from is left to `picture-file.ts` and `film-file.ts`.
 */
import type { FrameAnalysis } from './vision-api.ts'
import type { VisionError } from './vision-error.ts'
import type { VisionClient } from './vision-client.ts'

export type PictureAnswer =
  | { readonly ok: true; readonly analysis: FrameAnalysis; readonly model: string }
  | { readonly ok: false; readonly error: VisionError | undefined }

export interface PictureReader {
  /**
   * Takes the picture over and closes it. One at a time. Never rejects; `error` is undefined when it was closed meanwhile.
   * @param time in milliseconds: of pictures of one film, so that faces keep their numbers.
   */
  read(picture: ImageBitmap, time: number): Promise<PictureAnswer>
  /** Before a picture that has nothing to do with the one before. */
  reset(): void
  /** Ends the worker, its memory with it. The next picture starts another. Harmless when there is none. */
  close(): void
}

/** @param client of its own, nobody else submits to it: all faces, each frame by itself (`findEveryMs` and `smoothingMs` 0). */
export function createPictureReader(client: VisionClient): PictureReader {
  return {
    async read(picture, time) {
      client.open()
      const failure = await waitUntilReady(client)
      if (failure !== undefined) {
        picture.close()
        return failure
      }
      return await analyse(client, picture, time)
    },
    reset: () => client.reset(),
    close: () => client.close(),
  }
}

type Failure = Extract<PictureAnswer, { ok: false }>

function waitUntilReady(client: VisionClient): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    let stop: () => void = () => {}
    const look = (): void => {
      const { state } = client
      if (state.kind === 'loading' || state.kind === 'restarting') return
      stop()
      resolve(state.kind === 'ready' ? undefined : toFailure(client))
    }
    stop = client.onStateChange(look)
    look()
  })
}

function analyse(client: VisionClient, picture: ImageBitmap, time: number): Promise<PictureAnswer> {
  return new Promise((resolve) => {
    const finish = (answer: PictureAnswer): void => {
      stopListening()
      stopWatching()
      resolve(answer)
    }
    const stopListening = client.onAnalysis((analysis) => {
      finish({ ok: true, analysis, model: client.state.kind === 'ready' ? client.state.info.model : '' })
    })
    // A worker that crashed takes the picture with it, although another worker is on its way.
    const stopWatching = client.onStateChange(({ kind }) => {
      if (kind !== 'ready') finish(toFailure(client))
    })
    client.submit(picture, time)
  })
}

function toFailure({ state }: VisionClient): Failure {
  return { ok: false, error: 'error' in state ? state.error : undefined }
}
