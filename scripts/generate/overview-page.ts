/** Writes docs/protocol/README.md: a first conversation, whose frames are checked against the catalog while it is written. */
import { encodeMessage, parseRelayMessage } from '#shared/protocol/codec'
import { parseClientMessage } from '#shared/protocol/codec-relay'
import type { ClientMessage, RelayMessage } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS, PROTOCOL_VERSION, RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import { checkPayload } from '#shared/protocol/topic-catalog-relay'
import { readPayloadExample } from './message-examples.ts'

type Line = { readonly from: 'client'; readonly message: ClientMessage } | { readonly from: 'relay'; readonly message: RelayMessage }

const TIME = 1_700_000_000_000
const TOPIC = 'emotion/desk-1'
const SHIFT = 'app/shift'
const EPOCH = 'k3J9'
const HOUR_MS = 60 * 60 * 1000

export function writeOverviewPage(): string {
  return [INTRO, '```text', ...conversation().map(writeLine), '```', '', WHAT_TO_KNOW, '', writeLimits(), '', PAGES].join('\n')
}

function conversation(): readonly Line[] {
  const reading = readPayloadExample('emotion')
  if (!checkPayload('emotion', reading).ok) throw new Error('the example reading does not fit its schema')
  const limits = {
    frameBytes: PROTOCOL_LIMITS.frameBytes,
    subscriptions: PROTOCOL_LIMITS.subscriptions,
    pendingRequests: PROTOCOL_LIMITS.pendingRequests,
  }
  const heard = (seq: number, retained: { isRetained?: true }): RelayMessage => {
    return { type: 'message', topic: TOPIC, epoch: EPOCH, seq, time: TIME, ...retained, data: reading }
  }
  return [
    { from: 'client', message: { type: 'hello', version: PROTOCOL_VERSION, token: 'TOKEN', client: 'wall-screen/1.0' } },
    {
      from: 'relay',
      message: {
        type: 'welcome',
        version: PROTOCOL_VERSION,
        peer: 'peer/7',
        roles: ['viewer', 'station'],
        server: 'semblante/0.1.0',
        time: TIME,
        epoch: EPOCH,
        expiresAt: TIME + HOUR_MS,
        pingIntervalMs: 25_000,
        limits,
      },
    },
    { from: 'client', message: { type: 'subscribe', id: '1', topic: 'emotion/#' } },
    { from: 'relay', message: { type: 'subscribed', id: '1', topic: 'emotion/#', epoch: EPOCH, positions: [], isComplete: true } },
    { from: 'relay', message: heard(41, { isRetained: true }) },
    { from: 'relay', message: heard(42, {}) },
    { from: 'client', message: { type: 'subscribe', id: '2', topic: SHIFT, resume: [{ topic: SHIFT, epoch: EPOCH, since: 7 }] } },
    { from: 'relay', message: { type: 'subscribed', id: '2', topic: SHIFT, epoch: EPOCH, positions: [], isComplete: true } },
    { from: 'relay', message: { type: 'resumed', topic: SHIFT, epoch: EPOCH, count: 1 } },
    { from: 'relay', message: { type: 'message', topic: SHIFT, epoch: EPOCH, seq: 8, time: TIME, data: { shift: 'late' } } },
    { from: 'client', message: { type: 'publish', id: '3', topic: 'emotion/#', data: {} } },
    {
      from: 'relay',
      message: {
        type: 'error',
        id: '3',
        error: {
          code: 'topic.malformed',
          message: 'Level 2 is not made of letters, digits, ".", "_" or "-" only.',
          field: '/topic',
          retry: 'never',
        },
      },
    },
    { from: 'relay', message: { type: 'draining', reconnectAfterMs: 1200 } },
  ]
}

function writeLine({ from, message }: Line): string {
  const text = encodeMessage(message)
  const parsed = from === 'client' ? parseClientMessage(text) : parseRelayMessage(text)
  if (!parsed.ok) throw new Error(`the conversation shows what would be refused: ${parsed.failure.message}`)
  return `${from === 'client' ? 'client' : ' relay'}  ${shorten(text)}`
}

/** Readings are long; the page shows where they go and topics.md what they hold. */
function shorten(text: string): string {
  return text.replace(/"data":\{"station".*\}\}$/, '"data":{"station":"desk-1","faces":[…],…}}')
}

const INTRO = `# The native protocol

JSON over WebSocket, readable with any client of any language. [examples/](../../examples/README.md) holds short programs that speak it;
[asyncapi.json](asyncapi.json) is the same for tools.

\`\`\`sh
curl -s -X POST http://localhost:8080/api/auth/acquire-session     # {"success":true,"data":{"token":"TOKEN",…}}
\`\`\`

Then open \`ws://localhost:8080${RELAY_PATH}\` with the subprotocol \`${SUBPROTOCOL}\` (or none) and talk:
`

const WHAT_TO_KNOW = `## What to know

- **One JSON object per text frame**, with a \`type\`. Binary frames are refused.
- **The token** comes in \`hello\`, in \`Authorization: Bearer\`, or as \`?token=\` of the address; in the last two cases \`welcome\` comes unasked
  and there is no \`hello\`. Tokens are forgotten when the relay restarts: get a new one when an error says \`authenticate\`.
- **Expiry**: \`welcome\` says when the token ends. \`expiring\` comes before; answer with \`refresh\` and a new token, or the connection is closed.
- **\`id\`** is yours; it comes back in the answer. Without one \`publish\` is not answered, unless something is wrong with it.
- **\`epoch\` and \`seq\`** number the messages of a topic. A jump in \`seq\` on a \`latest\` topic means that newer values replaced older ones.
  On \`queued\` and \`acked\` topics nothing is lost in silence: what you missed comes from the history, and \`gap\` names the numbers that it no
  longer holds. A new \`epoch\` means that the numbers begin anew; \`reset\` says so.
- **Coming back**: \`subscribe\` with the last \`seq\` you saw of each topic in \`resume\`, and hear \`resumed\`, \`gap\` or \`reset\` before what follows.
- **Only listening?** \`GET /events?topic=…&token=…\` (the topic may be a filter, \`#\` written \`%23\`, and be repeated) is the same as a stream of
  server-sent events: messages as \`message\`, the rest (\`resumed\`, \`gap\`, \`reset\`, \`error\`, \`draining\` …) under its own name.
  \`Last-Event-ID\` resumes; every browser's \`EventSource\` sends it by itself.
- **Life**: the relay sends WebSocket pings every \`pingIntervalMs\` and drops a socket that stays silent for two of them; every WebSocket
  library answers them by itself. \`ping\` is for those that cannot see them.
- **\`draining\`** says that the relay is stopping, and when to come back: each client is told a different pause.
- **Unknown types**: later relays may send more of them. Ignore what you do not know.
- **Web pages** of other origins are refused unless the relay's operator lists them in \`ALLOWED_ORIGINS\`.`

function writeLimits(): string {
  const { frameBytes, topicLength, topicLevels, nesting, subscriptions, pendingRequests, requestDeadlineMs } = PROTOCOL_LIMITS
  return [
    '## Limits',
    '',
    '| what | at most |',
    '| --- | --- |',
    `| one frame | ${String(frameBytes)} bytes |`,
    `| a topic or filter | ${String(topicLength)} characters, ${String(topicLevels)} levels |`,
    `| objects and lists within each other | ${String(nesting)} |`,
    `| subscriptions of a connection | ${String(subscriptions)} |`,
    `| requests waiting for their reply | ${String(pendingRequests)} |`,
    `| the deadline of a request | ${String(requestDeadlineMs)} ms |`,
  ].join('\n')
}

const PAGES = `## The rest

[Messages](messages.md), [topics](topics.md), [errors](errors.md), [close codes](close-codes.md). For those who write another
implementation: \`shared/protocol/vectors\` holds what must be accepted and refused, as JSON.`
