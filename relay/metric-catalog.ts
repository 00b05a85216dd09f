/**
 * THE list of metrics, `semblante_` before each name. Label values come from closed sets, so that no client can make series grow. Rooms count
 * through the `Metrics` port; exposition is `ops/`'s.
 */
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { ERRORS } from '#shared/protocol/errors'
import { MESSAGES } from '#shared/protocol/messages'

const NONE = [''] as const
const CODES = keysOf(ERRORS)
const DIRECTION_IN = keysOf(MESSAGES)
const CLOSES = [...keysOf(CLOSE_CODES), 'peer', 'silent'] as const

/** What was refused because a bound was reached. */
export const LIMIT_NAMES = [
  'connections',
  'connections_per_address',
  'connections_per_user',
  'hello_deadline',
  'hello_frames',
  'hello_bytes',
  'frame_bytes',
  'messages_per_second',
  'bytes_per_second',
  'topic_publishes_per_second',
  'subscriptions',
  'pending_requests',
  'errors',
  'new_sessions',
  'lag',
  'image_bytes',
  'image_pixels',
  'pictures_waiting',
  'assistant_chats',
] as const

export const COUNTERS = {
  connections_opened_total: {
    label: 'dialect',
    values: ['native', 'events', 'carousel', 'vision', 'event', 'agent', 'process'],
    help: 'Connections whose session opened.',
  },
  connections_closed_total: {
    label: 'close',
    values: CLOSES,
    help: 'Connections that ended, by why; `peer`: the other end left, `silent`: it answered no pings.',
  },
  upgrades_refused_total: { label: 'code', values: CODES, help: 'Sockets and streams refused before they opened.' },
  messages_received_total: { label: 'type', values: DIRECTION_IN, help: 'Well-formed messages from clients.' },
  received_bytes_total: { label: 'none', values: NONE, help: 'Bytes of frames from clients.' },
  refusals_total: { label: 'code', values: CODES, help: 'Messages answered with an error.' },
  limit_hits_total: { label: 'limit', values: LIMIT_NAMES, help: 'Times a bound was reached.' },
  publications_total: { label: 'delivery', values: ['latest', 'queued', 'acked'], help: 'Messages published.' },
  duplicates_total: { label: 'none', values: NONE, help: 'Publishes and requests recognised by their key as repetitions.' },
  deliveries_total: { label: 'none', values: NONE, help: 'Frames of publications handed to sockets.' },
  sent_bytes_total: { label: 'none', values: NONE, help: 'Bytes of frames of publications handed to sockets.' },
  lags_total: { label: 'end', values: ['recovered', 'closed'], help: 'Times a reader fell behind, by how it ended.' },
  replaced_total: { label: 'none', values: NONE, help: '`latest` messages a slow reader did not get because a newer one came.' },
  gap_messages_total: { label: 'none', values: NONE, help: 'Messages that readers were told they missed.' },
  requests_total: { label: 'outcome', values: ['replied', 'refused', 'failed'], help: 'Requests between peers, by how they ended.' },
  history_stored_total: { label: 'result', values: ['stored', 'failed'], help: 'Publications given to the history file.' },
  machine_commands_total: {
    label: 'outcome',
    values: ['done', 'failed', 'timedOut', 'superseded', 'refused', 'unknown'],
    help: 'Commands to machines, by how they ended.',
  },
  machine_reads_total: { label: 'result', values: ['good', 'failed'], help: 'Readings of machines.' },
  pictures_total: { label: 'outcome', values: ['read', 'refused', 'superseded', 'failed'], help: 'Pictures given to the relay to read.' },
  assistant_chats_total: {
    label: 'outcome',
    values: ['complete', 'failed', 'cancelled', 'refused'],
    help: 'Conversations with the assistant.',
  },
  broker_messages_total: { label: 'direction', values: ['sent', 'received', 'dropped'], help: 'Publications to and from other relays.' },
  http_requests_total: { label: 'status', values: ['1xx', '2xx', '3xx', '4xx', '5xx'], help: 'Plain HTTP requests answered.' },
} as const

export const GAUGES = {
  connections_open: 'Connections open now.',
  connections_lagging: 'Connections that read too slowly now.',
  peers: 'Peers on the bus, services included.',
  topics: 'Topics whose numbering is kept.',
  subscriptions: 'Filters held by all peers.',
  history_messages: 'Publications kept in memory.',
  history_bytes: 'Bytes of the publications kept in memory.',
  pending_requests: 'Requests waiting for their reply.',
  storage_degraded: '1 while the history file takes no writes.',
  broker_lost: '1 while the broker cannot be reached.',
  pictures_waiting: 'Pictures waiting to be read.',
  machines_unreachable: 'Machines that cannot be read now.',
  tokens: 'Anonymous sessions that have not ended.',
} as const

/** Upper bounds of the buckets, in the unit of the name. */
export const HISTOGRAMS = {
  round_trip_seconds: { help: 'Ping to pong: how far a reader is behind.', buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10] },
  lag_seconds: { help: 'How long readers were behind.', buckets: [0.01, 0.1, 1, 5, 30] },
  picture_seconds: { help: 'From taking a picture to its answer.', buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10] },
  machine_read_seconds: { help: 'One reading of a machine.', buckets: [0.001, 0.01, 0.05, 0.2, 1, 5] },
  storage_commit_seconds: { help: 'From handing a batch to the file to its commit.', buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2] },
} as const

export type CounterName = keyof typeof COUNTERS
export type CounterLabel<Name extends CounterName> = (typeof COUNTERS)[Name]['values'][number]
export type GaugeName = keyof typeof GAUGES
export type HistogramName = keyof typeof HISTOGRAMS

function keysOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] {
  const isName = (name: string): name is Name => Object.hasOwn(table, name)
  return Object.keys(table).filter(isName)
}
