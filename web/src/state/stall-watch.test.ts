import { describe, expect, it } from 'vitest'
import { createStallWatch } from './stall-watch.ts'

const CHECK_MS = 5000

function setUp() {
  let now = 0
  const watch = createStallWatch(() => now)
  /** @returns after how many seconds it spoke. */
  function run(seconds: number, shown: (index: number) => number | undefined): readonly number[] {
    const spoken: number[] = []
    for (let index = 1; index * CHECK_MS <= seconds * 1000; index += 1) {
      now += CHECK_MS
      if (watch.check(shown(index))) spoken.push((index * CHECK_MS) / 1000)
    }
    return spoken
  }
  return { run, sleep: (ms: number) => void (now += ms) }
}

describe('stall watch', () => {
  it('[SW1] says nothing while pictures come, nor while nobody expects any', () => {
    const { run } = setUp()
    expect(run(3600, (index) => index * 100)).toEqual([])
    expect(run(3600, () => undefined)).toEqual([])
  })

  it('[SW2] notices a picture that stands still, and where opening anew does not help asks for it more and more rarely', () => {
    const { run } = setUp()
    run(60, (index) => index * 100)
    expect(run(600, () => 0)).toEqual([20, 60, 140, 300, 600])
  })

  it('[SW3] a picture that moves again makes it quick again', () => {
    const { run } = setUp()
    run(300, () => 0)
    run(10, (index) => index)
    expect(run(20, () => 2)).toEqual([20])
  })

  it('[SW4] gives a camera time after sleep', () => {
    const { run, sleep } = setUp()
    run(60, (index) => index)
    sleep(8 * 3_600_000)
    expect(run(15, () => 12)).toEqual([])
  })
})
