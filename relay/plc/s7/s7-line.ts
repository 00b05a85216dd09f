/** One connection to a Siemens S7: connects on three levels, one job and its answer at a time. Leaves coming back to the tagged driver. */
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../ports.ts'
import { GarbledError, type TagLine } from '../tagged/tagged-driver.ts'
import { bytesOf, decodeS7, encodeS7, type S7Address } from './s7-address.ts'
import {
  encodeConnect,
  encodeRead,
  encodeSetup,
  encodeWrite,
  isConfirm,
  parseRead,
  parseSetup,
  parseWrite,
  RETURN_OK,
  takeFrame,
  type S7Item,
} from './s7-frame.ts'

interface Options {
  readonly host: string
  readonly port: number
  readonly rack: number
  readonly slot: number
  /** Milliseconds for one answer. */
  readonly answerMs: number
  readonly clock: Clock
}

/** What every S7 takes; the tags of one machine fit many times over. */
const PDU_BYTES = 240
/** Items in one job that its request and its answer have room for. */
const ITEMS = 16
const MAX_WAITING_BYTES = 64 * 1024

export function createS7Line({ host, port, rack, slot, answerMs, clock }: Options): TagLine<S7Address> {
  let socket: Socket | undefined
  let received: Uint8Array = new Uint8Array()
  let reference = 0
  let wake: () => void = () => undefined
  let ended: Error | undefined

  function open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const made = connect({ host, port, noDelay: true })
      const giveUp = clock.after(answerMs, () => made.destroy(new Error('did not answer')))
      socket = made
      ended = undefined
      received = new Uint8Array()
      made.on('connect', () => {
        giveUp()
        resolve()
      })
      made.on('data', (bytes) => {
        const all = Buffer.concat([received, bytes])
        received = all.subarray(Math.max(0, all.byteLength - MAX_WAITING_BYTES))
        wake()
      })
      made.on('error', (error) => {
        ended ??= toError(error)
      })
      made.on('close', () => {
        giveUp()
        ended ??= new Error('closed the connection')
        wake()
        reject(ended)
      })
    })
  }
  function throwIfEnded(): void {
    if (ended !== undefined) throw ended
  }
  /** Sends one frame and gives the next one that is whole. */
  async function exchange(frame: Uint8Array): Promise<Uint8Array> {
    const used = socket
    if (used === undefined) throw new Error('is not connected')
    throwIfEnded()
    received = new Uint8Array()
    used.write(frame)
    const until = clock.now() + answerMs
    for (;;) {
      const taken = takeFrame(received)
      if (taken.kind === 'garbage') throw new GarbledError('sent what is no S7 frame')
      if (taken.kind === 'frame') {
        received = taken.rest
        return taken.frame
      }
      throwIfEnded()
      const leftMs = until - clock.now()
      if (leftMs <= 0) throw new Error('did not answer in time')
      await change(leftMs)
    }
  }
  function change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(withinMs, () => resolve())
      wake = () => {
        cancel()
        resolve()
      }
    })
  }
  function nextReference(): number {
    reference = (reference + 1) & 0xffff
    return reference
  }
  async function readItems(items: readonly S7Item[]): Promise<readonly (Uint8Array | undefined)[]> {
    const job = nextReference()
    const values = parseRead(await exchange(encodeRead(job, items)), { reference: job, items })
    if (values === undefined) throw new GarbledError('answered something else than it was asked')
    return values
  }
  return {
    async connect() {
      await open()
      if (!isConfirm(await exchange(encodeConnect(rack, slot)))) throw new GarbledError('refused the connection: rack or slot may be wrong')
      const job = nextReference()
      const size = parseSetup(await exchange(encodeSetup(job, PDU_BYTES)), job)
      if (size === undefined || size < PDU_BYTES) throw new GarbledError('does not speak S7 communication')
    },
    async read(tags) {
      const items = tags.map(({ address, type }) => ({ address, length: bytesOf(type) }))
      const values: (Uint8Array | undefined)[] = []
      for (let from = 0; from < items.length; from += ITEMS) values.push(...(await readItems(items.slice(from, from + ITEMS))))
      return tags.map(({ type }, index) => {
        const value = values[index]
        if (value === undefined) throw new GarbledError('has nothing at one of the addresses, or does not let it be read')
        return decodeS7(value, type)
      })
    },
    async write({ address, type, value }) {
      const job = nextReference()
      const bytes = encodeS7(value, type)
      const code = parseWrite(await exchange(encodeWrite(job, { address, length: bytes.byteLength }, bytes)), job)
      if (code !== RETURN_OK) throw new GarbledError(`refused to be written${code === undefined ? '' : `, code ${String(code)}`}`)
    },
    close() {
      const closing = socket
      socket = undefined
      if (closing === undefined || closing.destroyed) return Promise.resolve()
      return new Promise((resolve) => {
        closing.once('close', () => resolve())
        closing.destroy()
      })
    },
  }
}

function toError(error: Error): Error {
  const code: unknown = Reflect.get(error, 'code')
  if (code === 'ECONNREFUSED') return new Error('refuses connections')
  if (code === 'ECONNRESET') return new Error('reset the connection')
  return typeof code === 'string' ? new Error(code) : error
}
