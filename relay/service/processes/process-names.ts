/** Names that stand for processes. A name is free again when its holder has left. Leaves who may register to the service. */
import { fail, succeed, type Result } from '#shared/protocol/errors'

export interface ProcessNames {
  /** Again by the same holder is harmless. Fails with `process.name_taken`, `frame.invalid_fields` or `rate.limited`. */
  register(name: unknown, address: string): Result<string>
  /** Fails with `process.unknown` where this holder has no such name. */
  unregister(name: unknown, address: string): Result<string>
  find(name: string): string | undefined
  /** The holder has left. */
  forget(address: string): void
  list(): readonly { readonly name: string; readonly address: string }[]
}

export const NAME_LIMITS = { names: 1_024, namesPerProcess: 16, length: 64 } as const

const NAME = /^[\p{L}\p{N}._:-]{1,64}$/u

export function createProcessNames(): ProcessNames {
  const holders = new Map<string, string>()
  const names = new Map<string, Set<string>>()

  function drop(name: string, address: string): void {
    holders.delete(name)
    const own = names.get(address)
    own?.delete(name)
    if (own?.size === 0) names.delete(address)
  }
  return {
    register(name, address) {
      if (typeof name !== 'string' || !NAME.test(name)) {
        return fail(
          'frame.invalid_fields',
          `Expected a name of 1 to ${String(NAME_LIMITS.length)} letters, digits, ".", "_", ":" or "-".`,
          '/data/name',
        )
      }
      const holder = holders.get(name)
      if (holder === address) return succeed(name)
      if (holder !== undefined) return fail('process.name_taken', `Another process is registered as ${JSON.stringify(name)}.`, '/data/name')
      const own = names.get(address) ?? new Set<string>()
      if (own.size >= NAME_LIMITS.namesPerProcess || holders.size >= NAME_LIMITS.names) {
        return fail(
          'rate.limited',
          `A process has at most ${String(NAME_LIMITS.namesPerProcess)} names, the relay ${String(NAME_LIMITS.names)}.`,
        )
      }
      holders.set(name, address)
      names.set(address, own.add(name))
      return succeed(name)
    },
    unregister(name, address) {
      if (typeof name !== 'string' || holders.get(name) !== address) {
        return fail('process.unknown', 'You are not registered under this name.', '/data/name')
      }
      drop(name, address)
      return succeed(name)
    },
    find: (name) => holders.get(name),
    forget(address) {
      for (const name of [...(names.get(address) ?? [])]) drop(name, address)
    },
    list: () => [...holders].map(([name, address]) => ({ name, address })),
  }
}
