/** One example per message and topic, out of the golden vectors, so that no document shows what the relay would refuse. */
import { readFileSync } from 'node:fs'

const FOLDER = new URL('../../shared/protocol/vectors/', import.meta.url)

/** The last valid vector of a message: the fullest. */
export function readMessageExample(type: string): unknown {
  return readLastValid(`message-${type}.json`, 'frame')
}

/** The first valid payload of a topic. */
export function readPayloadExample(topicName: string): unknown {
  return readValid(`topic-${topicName}.json`, 'data').at(0)
}

function readLastValid(file: string, member: string): unknown {
  return readValid(file, member).at(-1)
}

function readValid(file: string, member: string): readonly unknown[] {
  const json: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
  if (typeof json !== 'object' || json === null || !('valid' in json) || !Array.isArray(json.valid))
    throw new Error(`${file} has no valid vectors`)
  return json.valid.map((vector: unknown) => (typeof vector === 'object' && vector !== null ? readMember(vector, member) : undefined))
}

function readMember(vector: object, name: string): unknown {
  return Object.entries(vector).find(([key]) => key === name)?.[1]
}
