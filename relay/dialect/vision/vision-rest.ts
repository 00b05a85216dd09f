/** VisionAI over plain HTTP, as its FastAPI version offered it under `/api/v1`: the same bodies as over the socket, mistakes with a status. */
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { Clock, HttpRequest, HttpResponse, RestCaller, RestRoute } from '../../ports.ts'
import { readPictureBody } from './picture-body.ts'
import { PREDICT_DEADLINE_MS, PREDICT_WISH, VISION_SERVICE } from './picture-question.ts'
import { readPrediction, readVisionInfo } from './service-reply.ts'
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
  const question = { to: VISION_SERVICE, method: 'predict', data: PREDICT_WISH, deadlineMs: PREDICT_DEADLINE_MS }
  const answer = await caller.call({ ...question, attachment: body.value.bytes })
  const prediction = answer.ok ? readPrediction(answer.value) : undefined
  if (prediction !== undefined) return toJson(200, toPredictionAnswer(prediction, clock.now()))
  return toProblem(explainPicture(answer.ok ? BAD_REPLY : answer.failure))
}

const BAD_REPLY: Failure = { code: 'server.internal', message: 'The vision service answered something that is no answer.' }

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
