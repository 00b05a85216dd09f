import { describe, expect, it } from 'vitest'
import { arrangeStations, fitTiles } from './wall-order.ts'

const stations = ['ático', 'Dock-2', 'dock-10', 'hall'].map((station) => ({ station }))
const isQuiet = ({ station }: { station: string }): boolean => station.endsWith('0')

describe('order of the wall', () => {
  it('[WO1] finds stations by a part of their name, whatever its case', () => {
    expect(arrangeStations(stations, { text: ' DOCK ', order: 'name', isQuiet }).map(({ station }) => station)).toEqual([
      'Dock-2',
      'dock-10',
    ])
    expect(arrangeStations(stations, { text: '', order: 'name', isQuiet })).toEqual(stations)
    expect(arrangeStations(stations, { text: 'none', order: 'quiet', isQuiet })).toEqual([])
  })

  it('[WO2] puts the quiet ones first, both halves still by name', () => {
    expect(arrangeStations(stations, { text: '', order: 'quiet', isQuiet }).map(({ station }) => station)).toEqual([
      'dock-10',
      'ático',
      'Dock-2',
      'hall',
    ])
  })

  it('[WO3] fills a television and still shows one tile on the smallest screen', () => {
    expect(fitTiles(1920, 1000)).toEqual({ columns: 6, rows: 4 })
    expect(fitTiles(200, 100)).toEqual({ columns: 1, rows: 1 })
  })
})
