import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatProcessId, parseProcessId, readAddress, toAddress, toProcessId } from './process-id.ts'

function addressOf(text: string): string | undefined {
  const pid = parseProcessId(text)
  return pid.ok ? toAddress(pid.value) : undefined
}

describe('PIDs', () => {
  it.each([
    ['{peer|4fJq}', { node: undefined, host: 'peer', id: '4fJq' }],
    ['{node-1@app:rooms|0x01}', { node: 'node-1', host: 'app:rooms', id: '0x01' }],
    ['{host|kind|id}', { node: undefined, host: 'host', id: 'id' }],
    ['{|}', { node: undefined, host: '', id: '' }],
    ['{a@b@c|d}', { node: 'a', host: 'b@c', id: 'd' }],
  ])('[WP40] reads %s', (text, pid) => {
    expect(parseProcessId(text)).toEqual({ ok: true, value: pid })
  })
  it.each([
    ['', 'missing braces'],
    ['host|id', 'missing braces'],
    ['{host|id', 'missing braces'],
    ['host|id}', 'missing braces'],
    ['{', 'missing braces'],
    ['{host}', 'missing pipe'],
    ['{}', 'missing pipe'],
  ])('[WP41] %j fails with the words that clients know: %s', (text, problem) => {
    expect(parseProcessId(text)).toMatchObject({
      ok: false,
      failure: { code: 'process.invalid_pid', message: `invalid pid format: ${problem}` },
    })
  })
  it.each([
    ['{peer|4fJq}', 'peer/4fJq'],
    ['{other@peer|4fJq}', 'peer/4fJq'],
    ['{relay|7}', 'process/relay/7'],
    ['{app:rooms|7}', 'process/app/rooms/7'],
    ['{name|chat}', undefined],
    ['{peer|a/b}', undefined],
    ['{a/b|c}', undefined],
    ['{|7}', undefined],
    ['{peer|}', undefined],
    ['{peer|+}', undefined],
  ])('[WP42] %s is the address %s', (text, address) => {
    expect(addressOf(text)).toBe(address)
  })
  it('[WP43] every address of a connection or a handler is read back from its PID', () => {
    const level = fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/)
    const host = level.filter((name) => name !== 'peer' && name !== 'name')
    const address = fc.oneof(
      level.map((id) => `peer/${id}`),
      fc.tuple(host, fc.array(level, { maxLength: 2 }), level).map(([first, more, id]) => ['process', first, ...more, id].join('/')),
    )
    fc.assert(
      fc.property(address, (text) => {
        expect(addressOf(toProcessId(text))).toBe(text)
      }),
    )
  })
  it('[WP44] any text is read without a throw, and what is read is written the same where it had no middle part', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const text = `{${one}|${other}}`
        const pid = parseProcessId(text)
        expect(pid.ok).toBe(true)
        if (pid.ok && !other.includes('|') && !one.includes('|')) expect(formatProcessId(pid.value)).toBe(text)
        readAddress(one)
      }),
    )
  })
  it('[WP45] services are written as themselves; where an address is meant, a PID is one', () => {
    expect([toProcessId('relay'), readAddress('{peer|x}'), readAddress('peer/x'), readAddress('{name|x}'), readAddress('{x')]).toEqual([
      'relay',
      'peer/x',
      'peer/x',
      '{name|x}',
      '{x',
    ])
  })
})
