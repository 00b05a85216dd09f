/** VisionAI over plain HTTP, as its FastAPI version offered it under `/api/v1`: the same bodies as over the socket, mistakes with a status. */
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { Clock, HttpRequest, HttpResponse, RestCaller, RestRoute } from '../../ports.ts'
import { readPictureBody } from './picture-body.ts'
import { FIND_FACES, PREDICT_DEADLINE_MS, toPrediction, toWholePrediction, VISION_SERVICE, WHOLE_PICTURE } from './picture-questions.ts'
import { readPictureReply, readVisionInfo, type PictureReply, type VisionPrediction } from './service-reply.ts'
import {
  EMOTIONS_LIST,
  explainPicture,
  isNotLoaded,
  MODEL_NOT_LOADED,
  TEXTS,
  toErrorAnswer,
  toHealth,
  toModelInfo,
  toPredictionAnswer,
  type Body,
  type VisionProblem,
} from './vision-answers.ts'

export interface VisionRestOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly countClients: () => number
  /** The largest picture that is read, as a file. */
  readonly imageBytes: number
}

const BASE = '/api/v1'

export function createVisionRest(options: VisionRestOptions): readonly RestRoute[] {
  const { clock, countClients } = options
  const route = (path: string, door: RestRoute['door'], answer: RestRoute['answer']): RestRoute => ({
    path: `${BASE}${path}`,
    methods: path === '/predict' ? ['POST'] : ['GET'],
    door,
    answer,
    refuse: (failure) => toProblem({ message: failure.message, code: failure.code }),
  })
  return [
    route('/predict', 'compat', (request, caller) => predict(request, caller, options)),
    route('/emotions', 'compat', () => toJson(200, EMOTIONS_LIST)),
    route('/model/info', 'compat', (_, caller) => describeModel(caller)),
    route('/health', 'open', () => toJson(200, toHealth(countClients(), clock.now()))),
  ]
}

async function predict(request: HttpRequest, caller: RestCaller, { clock, imageBytes }: VisionRestOptions): Promise<HttpResponse> {
  const body = await readPictureBody(request, imageBytes)
  if (!body.ok) return toProblem({ message: toBodyText(body.failure), code: body.failure.code, detail: body.failure.message })
  if (body.value.kind === 'missing') return toProblem({ message: TEXTS.imageRequired, code: 'image.missing' })
  if (body.value.kind === 'undecodable') {
    return toProblem({ message: `${TEXTS.imageUndecodable}${body.value.problem}`, code: 'image.undecodable' })
  }
  if (body.value.bytes.byteLength === 0) return toProblem({ message: TEXTS.imageEmpty, code: 'image.missing' })
  const read = await readPicture(caller, body.value.bytes)
  return read.ok ? toJson(200, toPredictionAnswer(read.prediction, clock.now())) : toProblem(explainPicture(read.failure))
}

type Read = { readonly ok: true; readonly prediction: VisionPrediction } | { readonly ok: false; readonly failure: Failure }

async function readPicture(caller: RestCaller, picture: Uint8Array): Promise<Read> {
  const found = await ask(caller, picture, FIND_FACES)
  const withFaces = found.ok ? toPrediction(found.reply) : undefined
  if (withFaces !== undefined) return { ok: true, prediction: withFaces }
  if (!found.ok && found.failure.code !== 'image.no_face') return found
  const whole = await ask(caller, picture, WHOLE_PICTURE)
  if (!whole.ok) return whole
  const prediction = toWholePrediction(whole.reply)
  return prediction === undefined ? { ok: false, failure: BAD_REPLY } : { ok: true, prediction }
}

const BAD_REPLY: Failure = { code: 'server.internal', message: 'The vision service answered something that is no answer.' }

type Asked = { readonly ok: true; readonly reply: PictureReply } | { readonly ok: false; readonly failure: Failure }

async function ask(caller: RestCaller, attachment: Uint8Array, data: unknown): Promise<Asked> {
  const answer = await caller.call({ to: VISION_SERVICE, method: 'predict', data, attachment, deadlineMs: PREDICT_DEADLINE_MS })
  if (!answer.ok) return answer
  const reply = readPictureReply(answer.value)
  return reply === undefined ? { ok: false, failure: BAD_REPLY } : { ok: true, reply }
}

async function describeModel(caller: RestCaller): Promise<HttpResponse> {
  const answer = await caller.call({ to: VISION_SERVICE, method: 'info' })
  const info = answer.ok ? readVisionInfo(answer.value) : undefined
  if (info !== undefined) return toJson(200, toModelInfo(info))
  const failure = answer.ok ? BAD_REPLY : answer.failure
  if (isNotLoaded(failure)) return toJson(200, MODEL_NOT_LOADED)
  return toProblem({ message: TEXTS.modelInfo, code: failure.code, detail: failure.message })
}

/** A body that is none: its own word where VisionAI has one. */
function toBodyText({ code, message }: Failure): string {
  if (code === 'frame.malformed_json') return TEXTS.notJson
  return code === 'frame.not_an_object' ? TEXTS.notAMessage : message
}

/** FastAPI says `detail`; the socket's words stand in `message` as well. */
function toProblem(problem: VisionProblem): HttpResponse {
  const body: Body = { ...toErrorAnswer(problem), status: 'error', detail: problem.message }
  const explained: Body = problem.detail === undefined ? body : { ...body, reason: problem.detail }
  return toJson(ERRORS[problem.code].http, explained)
}

function toJson(status: number, body: Body): HttpResponse {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }, body: JSON.stringify(body) }
}
