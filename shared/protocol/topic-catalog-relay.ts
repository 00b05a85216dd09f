/** How the relay checks what is published: the guard plus an explanation of what is wrong. Not for browsers: it ships the interpreter. */
import { fail, succeed, type Result } from './errors.ts'
import { explainMismatch } from './explain.ts'
import { isPayloadOf } from './topic-catalog.ts'
import { TOPICS, type TopicName, type TopicPayload } from './topics.ts'

/** @returns `data` typed, or `topic.invalid_payload` with a JSON pointer that starts at the message: `/data/faces/0/id`. */
export function checkPayload<Name extends TopicName>(name: Name, data: unknown): Result<TopicPayload<Name>> {
  if (isPayloadOf(name, data)) return succeed(data)
  const { field, message } = explainMismatch(TOPICS[name].schema, data, '/data')
  return fail('topic.invalid_payload', message, field)
}
