import { describe, expect, it } from 'vitest'
import { createKeptLog } from '#shared/testing/kept-log'
import type { TransportChoice } from '../ports.ts'
import { chooseTransport } from './choose-transport.ts'
import { loadUws } from './uws-loader.ts'

describe('choice of transport', () => {
  const nameOf = (choice: TransportChoice): string | undefined =>
    chooseTransport(choice, { routes: { sockets: [], http: () => ({ status: 200, headers: {}, body: '' }) }, log: createKeptLog() })?.name
  const hasBinary = loadUws() !== undefined

  it('[CT1] takes uWebSockets.js where its binary loads, else ws; ws when asked', () => {
    expect(nameOf('auto')).toBe(hasBinary ? 'uWebSockets.js' : 'ws')
    expect(nameOf('ws')).toBe('ws')
  })
  it('[CT2] gives nothing when uWebSockets.js is asked for and does not load', () => {
    expect(nameOf('uws')).toBe(hasBinary ? 'uWebSockets.js' : undefined)
  })
  it('[CT3] hides the names that differ between builds', () => {
    if (!hasBinary) return
    const uws = loadUws()
    expect(uws).toMatchObject({ exclusivePort: 1 })
    const headers: string[] = []
    const upstream = { forEach: (callback: (name: string, value: string) => void) => callback('a', 'upstream') }
    Reflect.apply(uws?.forEachHeader ?? (() => {}), undefined, [
      upstream,
      (name: string, value: string) => headers.push(`${name} ${value}`),
    ])
    const republished = { forEachHeader: (callback: (name: string, value: string) => void) => callback('a', 'republished') }
    Reflect.apply(uws?.forEachHeader ?? (() => {}), undefined, [
      republished,
      (name: string, value: string) => headers.push(`${name} ${value}`),
    ])
    expect(headers).toEqual(['a upstream', 'a republished'])
  })
})
