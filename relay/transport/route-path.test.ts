import { describe, expect, it } from 'vitest'
import { findByPath } from './route-path.ts'

const ROUTES = new Map(['/', '/ws', '/ws/agent/*', '/ws/*', '/socket.io/*'].map((path) => [path, path]))

describe('routes by path', () => {
  it.each([
    ['/', '/'],
    ['/ws', '/ws'],
    ['/ws/agent/7', '/ws/agent/*'],
    ['/ws/agent/', '/ws/agent/*'],
    ['/ws/agent', '/ws/*'],
    ['/ws/other/7', '/ws/*'],
    ['/socket.io/', '/socket.io/*'],
    ['/socket.io', undefined],
    ['/other', undefined],
    ['', undefined],
  ])('[RP1] %s is covered by %s', (path, route) => {
    expect(findByPath(ROUTES, path)).toBe(route)
  })
  it('[RP2] a route for everything covers everything', () => {
    const routes = new Map([['/*', 'all']])
    expect(['/', '/a', '/a/b', '//'].map((path) => findByPath(routes, path))).toEqual(['all', 'all', 'all', 'all'])
  })
})
