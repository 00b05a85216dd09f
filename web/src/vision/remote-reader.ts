/**
 * Reads frames on the relay instead of here: small pictures go out one after the other, the answers come back as a `FrameAnalysis` like the
 * worker's own. One frame is under way at a time, so the newest wins. Whether pictures may leave the tablet is decided by whoever makes it.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { DEFAULT_TIME_CONSTANT_MS, smooth } from '#shared/model/smoothing'
import { intersectionOverUnion, type Rectangle } from '#shared/vision/geometry'
import type { ErrorCode } from '#shared/protocol/errors'
import { type AnsweredFace, readPictureAnswer } from './picture-answer.ts'
import type { FaceAnalysis, FrameAnalysis, FramePictures, SmallPicture } from './vision-api.ts'

/** One picture to the relay's service `vision`. Never rejects. */
export type AskRelay = (picture: Uint8Array, wish: RelayWish) => Promise<RelayAnswer>
/** As `PictureWish`: a crop without a face in it is read as one. */
export type RelayWish = { readonly faces: 'largest'; readonly crop: true } | { readonly faces: 'all' }
export type RelayAnswer = { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly code: ErrorCode }

export type RemoteReading =
  | { readonly kind: 'read'; readonly analysis: FrameAnalysis; readonly model: string | undefined }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  /** It was told to stop in the middle. */
  | { readonly kind: 'stopped' }

export interface RemoteReader {
  /** One at a time. */
  read(pictures: FramePictures, options: ReadOptions): Promise<RemoteReading>
}

export interface ReadOptions {
  /** Once it is aborted nothing more is sent. */
  readonly signal: AbortSignal
  /** The largest id the tablet's own tracker has given: faces found on the relay count on from there. */
  readonly lastId: number
}

interface Followed {
  readonly id: number
  readonly box: Rectangle
  readonly probabilities: readonly number[]
  readonly time: number
}

/** Boxes that share less are of different faces. */
const MIN_OVERLAP = 0.3

export function createRemoteReader(ask: AskRelay, now: () => number): RemoteReader {
  let followed: readonly Followed[] = []
  let nextId = 1
  let model: string | undefined

  async function readOne(picture: SmallPicture): Promise<readonly AnsweredFace[] | ErrorCode> {
    const answer = await ask(picture.jpeg, picture.face === undefined ? { faces: 'all' } : { faces: 'largest', crop: true })
    if (!answer.ok) return answer.code
    const read = readPictureAnswer(answer.data)
    if (read === undefined) return 'server.internal'
    model = read.model
    return read.faces
  }

  /** Under the tablet's own id where it followed the face, else under that of the box before it. */
  function toAnalysis(face: AnsweredFace, picture: SmallPicture, time: number): FaceAnalysis {
    const box = picture.face?.box ?? place(face.box, picture.region)
    const before = picture.face === undefined ? findBefore(box) : followed.find(({ id }) => id === picture.face?.id)
    const id = picture.face?.id ?? before?.id ?? nextId++
    const step = { elapsedMs: before === undefined ? 0 : time - before.time, timeConstantMs: DEFAULT_TIME_CONSTANT_MS }
    const probabilities = smooth(before?.probabilities ?? null, face.probabilities, step)
    const confidence = Math.max(...probabilities)
    const emotion: EmotionName = EMOTIONS[probabilities.indexOf(confidence)] ?? 'neutral'
    return {
      id,
      box,
      score: picture.face?.score ?? 1,
      emotion,
      confidence,
      isCertain: face.certain,
      quality: face.quality,
      ...(face.unsureBecause === undefined ? {} : { unsureBecause: face.unsureBecause }),
      probabilities,
    }
  }

  function findBefore(box: Rectangle): Followed | undefined {
    return followed.find((before) => intersectionOverUnion(before.box, box) >= MIN_OVERLAP)
  }

  return {
    async read({ time, kind, pictures, stages }, { signal, lastId }) {
      nextId = Math.max(nextId, lastId + 1)
      const startedAt = now()
      // Asked anew each time: it changes while the relay is waited for.
      const isOver = (): boolean => signal.aborted
      const faces: FaceAnalysis[] = []
      for (const picture of pictures) {
        if (isOver()) return { kind: 'stopped' }
        const answered = await readOne(picture)
        if (typeof answered === 'string') return isOver() ? { kind: 'stopped' } : { kind: 'failed', code: answered }
        for (const face of answered) faces.push(toAnalysis(face, picture, time))
      }
      if (isOver()) return { kind: 'stopped' }
      followed = faces.map(({ id, box, probabilities }) => ({ id, box, probabilities, time }))
      const classifyMs = stages.encodeMs + now() - startedAt
      const { grabMs, detectMs } = stages
      const times = { grabMs, detectMs, classifyMs, totalMs: grabMs + detectMs + classifyMs }
      const search = kind === 'frame' ? 'find' : 'follow'
      return { kind: 'read', analysis: { time, faces, search, stages: times }, model }
    },
  }
}

/** From fractions of the small picture to fractions of the frame. */
function place(box: Rectangle, region: Rectangle): Rectangle {
  return {
    x: region.x + box.x * region.width,
    y: region.y + box.y * region.height,
    width: box.width * region.width,
    height: box.height * region.height,
  }
}
