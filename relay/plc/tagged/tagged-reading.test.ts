import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { builtInProfile } from '../profiles/status-profile.ts'
import { parseTagMap, TAG_NAMES, type AddressKind, type TagMap, type TagName } from './tag-map.ts'
import { toTaggedReading, toWrites, type Place, type TagValue } from './tagged-reading.ts'

const KIND: AddressKind<string> = {
  parse: (text) => (/^[a-z]\d+$/.test(text) ? text : undefined),
  expected: 'a letter and a number like a1',
  defaultType: () => 'uint16',
}
const PLACE: Place = { positions: 6, firstPosition: 0, profile: builtInProfile('delta_as'), lastPosition: undefined }

function mapOf(tags: Record<string, unknown>, commands?: Record<string, unknown>): TagMap<string> {
  const parsed = parseTagMap({ tags, ...(commands === undefined ? {} : { commands }) }, KIND)
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return parsed.map
}
function read(map: TagMap<string>, values: Record<string, TagValue>, place: Partial<Place> = {}) {
  const named = new Map<TagName, TagValue>()
  for (const name of TAG_NAMES) {
    const value = values[name]
    if (value !== undefined) named.set(name, value)
  }
  return toTaggedReading(map, named, { ...PLACE, ...place })
}

describe('tag maps', () => {
  it('[TM1] reads a status byte with the profile of the machine, and lets single flags overrule it', () => {
    const map = mapOf({ position: { at: 'a0' }, status: { at: 'a1' }, alarm: { at: 'a2', bit: 3, inverted: true } })
    expect(read(map, { position: 4, status: 151, alarm: 8 })).toMatchObject({
      reading: { position: 4, isMoving: true, direction: 'down', mode: 'remote', hasAlarm: false, raw: 151 },
    })
    expect(read(map, { position: 4, status: 151, alarm: 0 })).toMatchObject({ reading: { hasAlarm: true } })
  })
  it('[TM2] takes a device without such switches for remote, and for ready while nothing is wrong', () => {
    const map = mapOf({ position: { at: 'a0' }, moving: { at: 'a1' }, driveFault: { at: 'a2' } })
    expect(read(map, { position: 1, moving: 0, driveFault: 0 })).toMatchObject({
      reading: { isMoving: false, direction: 'none', mode: 'remote', isReady: true, raw: undefined },
    })
    expect(read(map, { position: 1, moving: true, driveFault: 1 })).toMatchObject({ reading: { isMoving: true, isReady: false } })
  })
  it('[TM3] scales a position, counts from the first the device has, and holds it within the deadband', () => {
    const map = mapOf({ position: { at: 'a0', scale: 0.1, deadband: 0.2 }, moving: { at: 'a1' } })
    const at = (raw: number, lastPosition?: number) => read(map, { position: raw, moving: 0 }, { firstPosition: 1, lastPosition })
    expect(at(34)).toMatchObject({ reading: { position: 2 } })
    expect(at(36)).toMatchObject({ reading: { position: 3 } })
    expect(at(36, 2)).toMatchObject({ reading: { position: 2 } })
    expect(at(38, 2)).toMatchObject({ reading: { position: 3 } })
  })
  it('[TM4] never reads a bucket the machine does not have, nor a status that is no byte, whatever the device says', () => {
    const map = mapOf({ position: { at: 'a0', type: 'float32' }, status: { at: 'a1' } })
    const number = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.double())
    fc.assert(
      fc.property(number, number, fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }), (position, status, lastPosition) => {
        const result = read(map, { position, status }, { lastPosition })
        if (!result.ok) return
        expect(result.reading.position).toBeGreaterThanOrEqual(0)
        expect(result.reading.position).toBeLessThan(6)
        expect(Math.abs(result.reading.position - position)).toBeLessThanOrEqual(0.5)
        expect(result.reading.raw).toBe(status)
      }),
    )
    expect(read(map, {})).toMatchObject({ ok: false })
  })
  it('[TM5] writes what a command names, in order, the target in the units of the device', () => {
    const map = mapOf(
      { position: { at: 'a0' }, moving: { at: 'a1' } },
      {
        move: [
          { at: 'b0', value: 'target', scale: 0.1 },
          { at: 'b1', type: 'bool', value: true },
        ],
        stop: [{ at: 'b2', value: 7 }],
      },
    )
    expect(toWrites(map, { kind: 'move', position: 3 }, 1)).toEqual([
      { address: 'b0', type: 'uint16', value: 40 },
      { address: 'b1', type: 'bool', value: true },
    ])
    expect(toWrites(map, { kind: 'stop' }, 1)).toEqual([{ address: 'b2', type: 'uint16', value: 7 }])
    expect(toWrites(map, { kind: 'reset' }, 1)).toBeUndefined()
    expect(toWrites(map, { kind: 'raw', code: 9, argument: 1 }, 1)).toBeUndefined()
  })
  it('[TM6] lists every mistake at once, each with its place and what was expected', () => {
    const parsed = parseTagMap(
      {
        tags: {
          status: { at: 7 },
          moving: { at: 'a1', bit: 40, colour: 1 },
          speed: { at: 'a1' },
          alarm: { at: 'a1', type: 'int7', scale: 'x' },
        },
        commands: { move: [], jump: [{ at: 'a1', value: 1 }], stop: [{ at: 'a1', value: 'now' }] },
      },
      KIND,
    )
    expect(parsed.ok ? [] : parsed.mistakes).toEqual([
      'tags.status.at: expected a letter and a number like a1.',
      'tags.moving.colour: no such field; there are at, type, scale, offset, bit, inverted, deadband.',
      expect.stringContaining('tags.speed: no such tag; there are position, status,'),
      'tags.alarm.type: expected one of bool, uint8, uint16, int16, uint32, int32, float32.',
      'tags.alarm.scale: expected a number.',
      'commands.move: expected a list of 1 to 16 writes.',
      'commands.jump: no such command; there are move, stop, reset, calibrate.',
      'commands.stop[0].value: expected a number, true, false or "target".',
      'tags.position: expected; without it nobody knows where the machine stands.',
      'tags: expected status, or at least moving.',
    ])
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (tags, commands) => {
        expect(typeof parseTagMap({ tags, commands }, KIND).ok).toBe('boolean')
      }),
    )
  })
})
