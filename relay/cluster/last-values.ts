/** Tells another relay the last values of all `latest` topics, a few at a time, so that live messages are not held up. */
import type { Publication } from '../ports.ts'
import { encodeLastValue, encodeValues } from './cluster-messages.ts'
import type { Courier } from './courier.ts'
import type { NewestStamps } from './newest-stamps.ts'

interface Options {
  readonly relayId: string
  readonly courier: Courier
  readonly stamps: NewestStamps
  readonly values: readonly Publication[]
}

const TEXT_CHARS = 64 * 1024
const VALUES_IN_TEXT = 512

/** Stops where the connection breaks: the other relay asks again. Never rejects. */
export async function sendLastValues({ relayId, courier, stamps, values }: Options): Promise<void> {
  let items: string[] = []
  let chars = 0
  for (const { topic, time, json } of values) {
    const { stamp, origin } = stamps.find(topic) ?? { stamp: time, origin: courier.relayId }
    const item = encodeLastValue({ topic, time, stamp, origin, json })
    items.push(item)
    chars += item.length
    if (chars < TEXT_CHARS && items.length < VALUES_IN_TEXT) continue
    if (courier.sendTo(relayId, encodeValues(items, false)) === 'lost' || !(await courier.flush())) return
    items = []
    chars = 0
  }
  courier.sendTo(relayId, encodeValues(items, true))
}
