import { describe, expect, it } from 'vitest'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { SOMEBODY } from '../../hub/testing/test-hub.ts'
import type { HttpAnswer, HttpRequest, RestQuestion } from '../../ports.ts'
import { createChatRestRoute } from './chat-rest-route.ts'

async function post(
  body: string,
  answer: Result<unknown>,
): Promise<{ readonly status: number; readonly body: unknown; readonly asked: readonly RestQuestion[] }> {
  const asked: RestQuestion[] = []
  const request: HttpRequest = {
    method: 'POST',
    path: '/api/ai/chat',
    query: new URLSearchParams(),
    headers: new Map(),
    remoteAddress: '127.0.0.1',
    readBody: async () => succeed(new TextEncoder().encode(body)),
    onGone: () => undefined,
  }
  const call = async (question: RestQuestion): Promise<Result<unknown>> => {
    asked.push(question)
    return answer
  }
  const answered: HttpAnswer = await createChatRestRoute().answer(request, { identity: SOMEBODY, call })
  if (!('status' in answered) || typeof answered.body !== 'string') throw new Error('no plain answer')
  return { status: answered.status, body: JSON.parse(answered.body), asked }
}

describe('POST /api/ai/chat', () => {
  it('[AS20] answers the whole in an envelope', async () => {
    const { asked, ...answer } = await post('{"message":"hola","locale":"es"}', succeed({ messageId: 'ai-1-x', response: 'buenas' }))
    expect(answer).toEqual({ status: 200, body: { success: true, data: { messageId: 'ai-1-x', response: 'buenas' } } })
    expect(asked).toMatchObject([{ to: 'assistant', method: 'answer', data: { message: 'hola', locale: 'es' } }])
  })
  it.each([
    ['{', 400, 'frame.malformed_json'],
    ['7', 400, 'frame.invalid_fields'],
    ['{"message":""}', 400, 'frame.invalid_fields'],
    ['{"message":"x","__proto__":{}}', 400, 'frame.invalid_fields'],
  ])('[AS21] refuses %s without asking anybody', async (body, status, code) => {
    expect(await post(body, succeed({}))).toMatchObject({ status, body: { success: false, code, error: expect.any(String) }, asked: [] })
  })
  it.each([
    ['assistant.unavailable', 503],
    ['assistant.busy', 429],
    ['assistant.failed', 502],
    ['auth.forbidden', 403],
  ] as const)('[AS22] passes %s on as %i', async (code, status) => {
    expect(await post('{"message":"x"}', fail(code, 'Why.'))).toMatchObject({ status, body: { success: false, error: 'Why.', code } })
  })
  it('[AS23] words a refusal at the door in the same envelope', () => {
    const refused = createChatRestRoute().refuse?.({ code: 'auth.token_missing', message: 'Send a token.' })
    expect(refused).toMatchObject({ status: 401, body: '{"success":false,"error":"Send a token.","code":"auth.token_missing"}' })
  })
})
