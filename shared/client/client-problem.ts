/** What the client tells when no caller waits for it. Types only; texts are made where the problem is found. */
import type { Failure } from '#shared/protocol/errors'

/**
 * What only a client can find, beside the relay's own codes:
 * - `client.messages_lost`: messages of a topic will not come, and no listener of the filter asked to be told of losses.
 * - `client.positions_forgotten`: one filter matches more topics than the client keeps positions of.
 * - `client.outbox_full`: more unanswered publishes than the outbox holds; the newest are not taken until there is room.
 */
export type ClientProblemCode = 'client.messages_lost' | 'client.positions_forgotten' | 'client.outbox_full'

export type ClientProblem = Failure | { readonly code: ClientProblemCode; readonly message: string }

export type ProblemListener = (problem: ClientProblem) => void
