/** One Modbus TCP connection. `modbus-serial` frames and matches; it never reconnects by itself, which is the tagged driver's work. */
import ModbusRTU from 'modbus-serial'
import { GarbledError, type TagLine } from '../tagged/tagged-driver.ts'
import type { TagValue } from '../tagged/tagged-reading.ts'
import {
  decodeRegisters,
  encodeRegisters,
  isBitTable,
  registersOf,
  toBlocks,
  type ModbusAddress,
  type ModbusBlock,
} from './modbus-address.ts'
import type { ModbusOptions } from './modbus-options.ts'

interface Options extends Pick<ModbusOptions, 'unit' | 'order'> {
  readonly host: string
  readonly port: number
  /** Milliseconds for one answer. */
  readonly answerMs: number
}

export function createModbusLine({ host, port, unit, order, answerMs }: Options): TagLine<ModbusAddress> {
  let client: ModbusRTU | undefined

  function use(): ModbusRTU {
    if (client?.isOpen !== true) throw new Error('closed the connection')
    return client
  }
  async function readBlock({ table, from, count }: ModbusBlock): Promise<readonly TagValue[]> {
    const open = use()
    if (table === 'coil') return (await open.readCoils(from, count)).data.slice(0, count)
    if (table === 'discrete') return (await open.readDiscreteInputs(from, count)).data.slice(0, count)
    const { data } = table === 'input' ? await open.readInputRegisters(from, count) : await open.readHoldingRegisters(from, count)
    return data
  }
  return {
    async connect() {
      const made = new ModbusRTU()
      // The library tells of a broken line here as well as by rejecting; an event that nobody hears would end the process.
      made.on('error', () => undefined)
      made.setID(unit)
      made.setTimeout(answerMs)
      await within(made.connectTCP(host, { port }), answerMs, () => made.destroy(() => undefined))
      client = made
    },
    async read(tags) {
      const cells = new Map<string, TagValue>()
      for (const block of toBlocks(tags)) {
        const values = await readBlock(block)
        if (values.length < block.count) throw new GarbledError('answered with too few values')
        for (const [index, value] of values.entries()) cells.set(`${block.table}:${String(block.from + index)}`, value)
      }
      return tags.map(({ address, type }) => {
        if (isBitTable(address.table)) return cells.get(`${address.table}:${String(address.index)}`) ?? Number.NaN
        const registers = Array.from({ length: registersOf(type) }, (_, index) =>
          Number(cells.get(`${address.table}:${String(address.index + index)}`)),
        )
        return decodeRegisters(registers, type, order)
      })
    },
    async write({ address, type, value }) {
      const open = use()
      if (address.table === 'coil') await open.writeCoil(address.index, value === true || value === 1)
      else await open.writeRegisters(address.index, [...encodeRegisters(value, type, order)])
    },
    close() {
      const closing = client
      client = undefined
      if (closing === undefined) return Promise.resolve()
      return new Promise((resolve) => closing.destroy(() => resolve()))
    },
  }
}

/** The library's own time counts from the open line on, so an address that swallows packets would be waited for as long as the system likes. */
async function within<Value>(work: Promise<Value>, limitMs: number, giveUp: () => void): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp()
      reject(new Error('did not answer'))
    }, limitMs)
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
