import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRouteState, parseRoute, toHash } from './route-state.svelte.ts'

describe('route', () => {
  it('[RT1] reads back every address it writes', () => {
    const routes = [
      { page: 'live' },
      { page: 'wall' },
      { page: 'wall', station: 'ایستگاه-۲' },
      { page: 'machines' },
      { page: 'machines', machine: 'machine_1' },
      { page: 'photo' },
      { page: 'settings' },
      { page: 'admin' },
      { page: 'design' },
    ] as const
    for (const route of routes) expect(parseRoute(toHash(route))).toEqual(route)
  })

  it('[RT2] opens the first page for anything unknown, and never throws', () => {
    expect(parseRoute('#/nowhere')).toEqual({ page: 'live' })
    expect(parseRoute('#/photo/shared')).toEqual({ page: 'photo', isShared: true })
    expect(parseRoute('#/photo/other')).toEqual({ page: 'photo' })
    expect(parseRoute('#/wall/%E0%A4%A')).toEqual({ page: 'wall' })
    expect(parseRoute('#/wall/a b')).toEqual({ page: 'wall' })
    fc.assert(
      fc.property(fc.string(), (hash) =>
        ['live', 'wall', 'machines', 'photo', 'settings', 'admin', 'model', 'design', 'history', 'responsible'].includes(
          parseRoute(hash).page,
        ),
      ),
    )
  })

  it('[RT4] still leads to the wall from the addresses it had', () => {
    expect(parseRoute('#/watch')).toEqual({ page: 'wall' })
    expect(parseRoute('#/watch/dock-2')).toEqual({ page: 'wall', station: 'dock-2' })
  })

  it('[RT3] follows the address until it is stopped', () => {
    let hash = '#/'
    const listeners = new Set<() => void>()
    const go = (next: string): void => {
      hash = next
      for (const listener of listeners) listener()
    }
    const route = createRouteState({
      hash: () => hash,
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    })
    const stop = route.start()
    go('#/settings')
    expect(route.current.page).toBe('settings')
    stop()
    go('#/wall')
    expect(route.current.page).toBe('settings')
  })
})
