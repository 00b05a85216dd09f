import { describe, expect, it } from 'vitest'
import { createRememberedToken, type TabStorage } from './remembered-token.ts'

function createStorage(): TabStorage & { readonly size: number } {
  const kept = new Map<string, string>()
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    get size() {
      return kept.size
    },
  }
}

describe('remembered token', () => {
  it('[TK1] gives back what was kept, and leaves nothing behind when forgotten', () => {
    const storage = createStorage()
    const token = createRememberedToken(() => storage)
    expect(token.read()).toBeUndefined()
    token.keep('secret')
    expect(createRememberedToken(() => storage).read()).toBe('secret')
    token.forget()
    expect(storage.size).toBe(0)
  })

  it('[TK2] remembers nothing, and does no harm, where storage is blocked', () => {
    const token = createRememberedToken(() => {
      throw new Error('blocked')
    })
    token.keep('secret')
    token.forget()
    expect(token.read()).toBeUndefined()
  })
})
