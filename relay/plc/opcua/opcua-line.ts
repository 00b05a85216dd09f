/**
 * One OPC UA session at a time: what it hears through its subscription is what is read. A server that has not been heard for a while is asked, so a
 * value is never older than that without somebody having looked. Leaves coming back to the tagged driver.
 */
import type { Clock } from '../../ports.ts'
import { GarbledError, type TagLine } from '../tagged/tagged-driver.ts'
import type { OpcuaAddress } from './opcua-address.ts'
import { openOpcuaConnection, type OpcuaConnection } from './opcua-connection.ts'
import { loadOpcua, type OpcuaLibrary } from './opcua-library.ts'
import { readServerValue, toVariant } from './opcua-value.ts'

interface Options {
  readonly url: string
  /** To be heard of. */
  readonly read: readonly OpcuaAddress[]
  /** To be written. */
  readonly written: readonly OpcuaAddress[]
  readonly publishMs: number
  /** Milliseconds for one answer. */
  readonly answerMs: number
  readonly clock: Clock
}

/** A server that said nothing for so long is asked before its values are believed again. */
const FRESH_MS = 1_000

export function createOpcuaLine(options: Options): TagLine<OpcuaAddress> {
  const { answerMs, clock } = options
  let library: OpcuaLibrary | undefined
  let connection: OpcuaConnection | undefined
  /** What was heard before may be from before the write. */
  let hasWritten = false

  function use(): OpcuaConnection {
    if (connection === undefined) throw new Error('closed the connection')
    return connection
  }
  return {
    async connect() {
      library ??= await loadOpcua()
      connection = await openOpcuaConnection(library, options)
    },
    async read(tags) {
      const used = use()
      if (hasWritten || clock.now() - used.heardAt() > Math.min(FRESH_MS, answerMs)) await used.ask()
      hasWritten = false
      return tags.map(({ address }) => {
        const heard = used.find(address)
        const read = heard === undefined ? undefined : readServerValue(heard)
        if (read?.ok !== true) throw new GarbledError(`says that ${address} ${read?.problem ?? 'is not there'}`)
        return read.value
      })
    },
    heardAt: () => connection?.heardAt(),
    async write({ address, type, value }) {
      const used = use()
      hasWritten = true
      const status = await used.write(address, toVariant(value, type, used.typeOf(address)))
      if (status !== undefined) throw new GarbledError(`refused to be written at ${address}: ${status}`)
    },
    async close() {
      const closing = connection
      connection = undefined
      await closing?.close()
    },
  }
}
