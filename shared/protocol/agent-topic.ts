/**
 * Agent ids and topics. An id may be any text; a level of a topic may not. Letters, digits, `_` and `-` stay as they are, every other
 * character becomes its UTF-8 bytes as `.` and two hexadecimal digits, so that `agent 1` is heard on `agent/agent.201/event`.
 */
import { fail, succeed, type Result } from './errors.ts'

/** Characters of the level, so that every topic made of it fits. */
const MAX_LEVEL = 64
const PLAIN = /^[\p{L}\p{N}_-]$/u
const LEVEL = /^(?:[\p{L}\p{N}_-]|\.[0-9A-F]{2})+$/u
const LONE_SURROGATE = /\p{Surrogate}/u

/** @returns the level that stands for the id, or `agent.invalid`. */
export function toAgentLevel(id: string): Result<string> {
  if (id === '' || id.length > MAX_LEVEL || LONE_SURROGATE.test(id)) return invalid()
  const level = Array.from(id, (character) => (PLAIN.test(character) ? character : toHex(character))).join('')
  return level.length > MAX_LEVEL ? invalid() : succeed(level)
}

/** @returns the id that the level stands for; undefined when it stands for none. */
export function toAgentId(level: string): string | undefined {
  if (!LEVEL.test(level)) return undefined
  try {
    const id = decodeURIComponent(level.replaceAll('.', '%'))
    const canonical = toAgentLevel(id)
    return canonical.ok && canonical.value === level ? id : undefined
  } catch {
    return undefined
  }
}

/** Where what happens to the agent is told. */
export function agentEventTopic(level: string): string {
  return `agent/${level}/event`
}
/** Where its connections tell each other. */
export function agentMessageTopic(level: string): string {
  return `agent/${level}/message`
}
/** Both. */
export function agentFilter(level: string): string {
  return `agent/${level}/+`
}

function toHex(character: string): string {
  return Array.from(new TextEncoder().encode(character), (byte) => `.${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function invalid(): Result<never> {
  return fail(
    'agent.invalid',
    `An agent id has 1 to ${String(MAX_LEVEL)} characters; those that are no letter, digit, "_" or "-" count three for each byte.`,
  )
}
