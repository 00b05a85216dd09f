import { describe, expect, it } from 'vitest'
import { createWakeLock } from './wake-lock.ts'

/** A screen of which the test says whether it is seen and whether it grants. */
function createScreen() {
  const listeners = new Set<() => void>()
  const released: number[] = []
  const screen = { asked: 0, isVisible: true, isRefused: false, released, listeners }
  const lock = createWakeLock({
    request() {
      screen.asked += 1
      const number = screen.asked
      if (screen.isRefused) return Promise.reject(new DOMException('low battery', 'NotAllowedError'))
      return Promise.resolve({
        release() {
          released.push(number)
          return Promise.resolve()
        },
      })
    },
    isVisible: () => screen.isVisible,
    onVisibility(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  async function show(isVisible: boolean): Promise<void> {
    screen.isVisible = isVisible
    for (const listener of listeners) listener()
    await settle()
  }
  return { screen, lock, show }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('wake lock', () => {
  it('[WL1] is asked for when held, again each time the page is shown, and released in the end', async () => {
    const { screen, lock, show } = createScreen()
    const release = lock.hold()
    await settle()
    expect(screen.asked).toBe(1)
    await show(false)
    expect(screen.asked).toBe(1)
    await show(true)
    expect(screen.asked).toBe(2)
    release()
    release()
    await settle()
    expect(screen.released).toEqual([1, 2])
    expect(screen.listeners.size).toBe(0)
  })

  it('[WL2] a refusal is quiet, and the next time the page is shown it is asked for again', async () => {
    const { screen, lock, show } = createScreen()
    screen.isRefused = true
    const release = lock.hold()
    await settle()
    screen.isRefused = false
    await show(true)
    expect(screen.asked).toBe(2)
    release()
    await settle()
    expect(screen.released).toEqual([2])
  })

  it('[WL3] a lock that comes after it was let go is released at once', async () => {
    const { screen, lock } = createScreen()
    lock.hold()()
    await settle()
    expect(screen.released).toEqual([1])
  })

  it('[WL4] does nothing where the browser has none', () => {
    const lock = createWakeLock({ request: undefined, isVisible: () => true, onVisibility: () => () => undefined })
    expect(() => lock.hold()()).not.toThrow()
  })
})
