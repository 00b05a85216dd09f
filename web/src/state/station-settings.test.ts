import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRememberedSettings, type TextStorage } from './remembered-settings.ts'
import { createStationName, isStationName } from './station-name.ts'
import { createStationSettings } from './station-settings.svelte.ts'

function memoryStorage(): TextStorage {
  const values = new Map<string, string>()
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) }
}

const brokenStorage: TextStorage = {
  getItem() {
    throw new Error('storage is forbidden')
  },
  setItem() {
    throw new Error('storage is full')
  },
}

describe('station name', () => {
  it('[SN1] has a readable default that is a valid name, whatever chance says', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (fraction) => {
        expect(createStationName(fraction)).toMatch(/^estacion-[0-9a-f]{4}$/)
        expect(isStationName(createStationName(fraction))).toBe(true)
      }),
    )
  })

  it('[SN2] accepts letters of any script, digits, dot, hyphen and underscore, and nothing a topic level may not hold', () => {
    for (const name of ['estacion-7f3a', 'Almacén_2', 'ایستگاه', 'a', 'x'.repeat(64)]) expect(isStationName(name)).toBe(true)
    for (const name of ['', 'a b', 'a/b', '#', '+', 'x'.repeat(65), 'a\n']) expect(isStationName(name)).toBe(false)
  })
})

describe('station settings', () => {
  it('[SN3] keeps the default name for the next visit', () => {
    const storage = memoryStorage()
    const first = createStationSettings(
      createRememberedSettings(() => storage),
      0.5,
    )
    const second = createStationSettings(
      createRememberedSettings(() => storage),
      0.9,
    )
    expect(second.name).toBe(first.name)
  })

  it('[SN4] refuses a name that is none and keeps the old one', () => {
    const settings = createStationSettings(createRememberedSettings(memoryStorage), 0)
    expect(settings.rename('dos palabras')).toBe(false)
    expect(settings.name).toBe('estacion-0000')
    expect(settings.rename('  puerta-2 ')).toBe(true)
    expect(settings.name).toBe('puerta-2')
  })

  it('[SN5] ignores remembered values that are not valid any more', () => {
    const storage = memoryStorage()
    storage.setItem('semblante.station', 'no/valid')
    storage.setItem('semblante.rate', '1000')
    const settings = createStationSettings(
      createRememberedSettings(() => storage),
      0,
    )
    expect(settings.name).toBe('estacion-0000')
    expect(settings.rate).toBe(5)
  })

  it('[SN6] works where storage is forbidden or full, for as long as the page lives', () => {
    const remembered = createRememberedSettings(() => brokenStorage)
    const settings = createStationSettings(remembered, 0)
    settings.setRate(10)
    expect(settings.rate).toBe(10)
    expect(remembered.read('rate')).toBe('10')
  })

  it('remembers the manifest of another network, takes none that is not on this server, and forgets it when emptied', () => {
    const held = new Map<string, string>()
    const storage = {
      getItem: (name: string) => held.get(name) ?? null,
      setItem: (name: string, value: string) => void held.set(name, value),
    }
    const open = () =>
      createStationSettings(
        createRememberedSettings(() => storage),
        0,
      )
    expect(open().setManifestPath(' /models/mine.json ')).toBe(true)
    expect(open().manifestPath).toBe('/models/mine.json')
    for (const wrong of ['//elsewhere.example/x.json', 'https://elsewhere.example/x.json', '/models/mine.onnx', 'mine.json']) {
      expect(open().setManifestPath(wrong)).toBe(false)
    }
    expect(open().manifestPath).toBe('/models/mine.json')
    expect(open().setManifestPath('')).toBe(true)
    expect(open().manifestPath).toBe('')
  })
})
