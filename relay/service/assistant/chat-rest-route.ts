/** The plain twin of the assistant's `chat`: `POST /api/ai/chat` with the same question as JSON, the whole answer in YektaYar's envelope. */
import { ERRORS, fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import { findJsonDefect } from '#shared/protocol/plain-json'
import type { HttpRequest, HttpResponse, RestRoute } from '../../ports.ts'
import { ASSISTANT_ADDRESS } from './assistant-service.ts'
import { parseChatQuestion } from './chat-question.ts'

/** The message, ten turns and JSON around them. */
const BODY_BYTES = 1024 * 1024
/** Longer than a conversation may take, so that its own words arrive. */
const DEADLINE_MS = 150_000

/** Answers `{success: true, data: {response, messageId}}` or `{success: false, error, code}`. */
export function createChatRestRoute(): RestRoute {
  return {
    path: '/api/ai/chat',
    methods: ['POST'],
    door: 'token',
    async answer(request, caller) {
      const question = await readQuestion(request)
      if (!question.ok) return toResponse(question.failure)
      const answer = await caller.call({ to: ASSISTANT_ADDRESS, method: 'answer', data: question.value, deadlineMs: DEADLINE_MS })
      return answer.ok ? json(200, { success: true, data: answer.value }) : toResponse(answer.failure)
    },
    refuse: (failure) => toResponse(failure),
  }
}

async function readQuestion(request: HttpRequest): Promise<Result<unknown>> {
  const body = await request.readBody(BODY_BYTES)
  if (!body.ok) return body
  const data = parseJson(new TextDecoder().decode(body.value))
  if (!data.ok) return data
  const question = parseChatQuestion(data.value)
  return question.ok ? data : question
}

function parseJson(text: string): Result<unknown> {
  try {
    const value: unknown = JSON.parse(text)
    const defect = findJsonDefect(value)
    return defect === undefined ? succeed(value) : fail('frame.invalid_fields', `${defect.field} ${defect.problem}.`, defect.field)
  } catch {
    return fail('frame.malformed_json', 'Expected the question as JSON: {"message": "…"}.')
  }
}

function toResponse({ code, message }: Failure): HttpResponse {
  return json(ERRORS[code].http, { success: false, error: message, code })
}

function json(status: number, body: object): HttpResponse {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }, body: JSON.stringify(body) }
}
