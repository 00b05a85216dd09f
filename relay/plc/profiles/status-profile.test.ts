import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { builtInProfile, decodeStatus, encodeStatus, parseProfile, PROFILE_NAMES, STATUS_FLAGS, toReading } from './status-profile.ts'

const DELTA = builtInProfile('delta_as')
const PLACE = { position: 3, positions: 6 }
const HEALTHY = { hasAlarm: false, isEmergencyStopped: false, hasDriveFault: false, hasPositioningError: false }

const profile = fc
  .tuple(fc.shuffledSubarray([...STATUS_FLAGS], { minLength: 8, maxLength: 8 }), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([flags, inverted]) => flags.map((flag, index) => (inverted[index] === true ? `!${flag}` : flag)))

describe('status profiles', () => {
  it.each([
    [21, { isReady: true, isMoving: false, direction: 'none', mode: 'remote', ...HEALTHY }],
    [23, { isReady: true, isMoving: true, direction: 'up', mode: 'remote', ...HEALTHY }],
    [151, { isReady: true, isMoving: true, direction: 'down', mode: 'remote', ...HEALTHY }],
    [17, { isReady: true, isMoving: false, direction: 'none', mode: 'manual', ...HEALTHY }],
    [19, { isReady: true, isMoving: true, direction: 'up', mode: 'manual', ...HEALTHY }],
    [147, { isReady: true, isMoving: true, direction: 'down', mode: 'manual', ...HEALTHY }],
    [18, { isReady: false, isMoving: true, direction: 'up', mode: 'manual', ...HEALTHY }],
    [0b0000_0101, { isReady: true, mode: 'remote', ...HEALTHY, isEmergencyStopped: true }],
    [0b0001_1100, { isReady: false, mode: 'remote', ...HEALTHY, hasAlarm: true }],
    [0b0011_0101, { ...HEALTHY, hasDriveFault: true }],
    [0b0101_0101, { ...HEALTHY, hasPositioningError: true }],
  ])('[SP1] reads %i as the real machine means it', (raw, expected) => {
    expect(toReading(DELTA, raw, PLACE)).toMatchObject({ ...expected, ...PLACE, raw })
  })
  it.each([
    [218, { isReady: true, isMoving: false, direction: 'none', mode: 'remote', ...HEALTHY }],
    [219, { isReady: true, isMoving: true, direction: 'down', mode: 'remote', ...HEALTHY }],
  ])("[SP2] reads the documents' sample %i as they explain it", (raw, expected) => {
    expect(toReading(builtInProfile('doc'), raw, PLACE)).toMatchObject(expected)
  })
  it('[SP3] every byte of every profile is read and written back, and each bit changes one flag only', () => {
    fc.assert(
      fc.property(profile, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 7 }), (words, raw, bit) => {
        const parsed = parseProfile(words)
        if (!parsed.ok) throw new Error(parsed.problem)
        const before = decodeStatus(parsed.profile, raw)
        expect(encodeStatus(parsed.profile, before)).toBe(raw)
        const after = decodeStatus(parsed.profile, raw ^ (1 << bit))
        expect(STATUS_FLAGS.filter((flag) => before[flag] !== after[flag])).toEqual([parsed.profile.bits[bit]?.flag])
      }),
      { numRuns: 300 },
    )
  })
  it('[SP4] takes a built-in name or eight flags, and says what it expected of anything else', () => {
    for (const name of PROFILE_NAMES) expect(parseProfile(name)).toEqual({ ok: true, profile: builtInProfile(name) })
    for (const wrong of [undefined, 'delta', 5, [], ['ready'], [...STATUS_FLAGS, 'ready'], [...STATUS_FLAGS.slice(1), 'moving'], [1, 2]]) {
      const parsed = parseProfile(wrong)
      expect(parsed.ok ? '' : parsed.problem).toContain('expected delta_as or doc, or a list of eight flags')
    }
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        expect(typeof parseProfile(anything).ok).toBe('boolean')
      }),
    )
  })
})
