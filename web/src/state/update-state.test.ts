import { describe, expect, it } from 'vitest'
import { createUpdateState } from './update-state.svelte.ts'

/** A worker of which the test moves the state. */
class ScriptedWorker extends EventTarget {
  state: ServiceWorkerState = 'installing'
  readonly messages: unknown[] = []

  postMessage(message: unknown): void {
    this.messages.push(message)
  }

  become(state: ServiceWorkerState): void {
    this.state = state
    this.dispatchEvent(new Event('statechange'))
  }
}

class ScriptedRegistration extends EventTarget {
  installing: ScriptedWorker | null = null
  waiting: ScriptedWorker | null = null
  active: ScriptedWorker | null = null
  updates = 0

  update(): Promise<void> {
    this.updates += 1
    return Promise.reject(new TypeError('offline'))
  }
}

function setUp() {
  const registration = new ScriptedRegistration()
  const controller: { controller: ScriptedWorker | null } = { controller: null }
  const container = Object.assign(new EventTarget(), controller, { register: () => Promise.resolve(registration) })
  let reloads = 0
  let check: () => void = () => {}
  const browser: unknown = {
    serviceWorker: container,
    every(_intervalMs: number, callback: () => void) {
      check = callback
      return () => {}
    },
    reload: () => (reloads += 1),
  }
  const isBrowser = (value: unknown): value is Parameters<typeof createUpdateState>[0] => value === browser
  if (!isBrowser(browser)) throw new Error('unreachable')
  const update = createUpdateState(browser)
  return { registration, container, update, reloads: () => reloads, checkNow: () => check() }
}

describe('update', () => {
  it('[UP1] does not offer the first version ever, and says when the page works offline', async () => {
    const { registration, update } = setUp()
    const worker = new ScriptedWorker()
    registration.installing = worker
    await update.start()
    expect(update.offline).toBe('pending')
    registration.waiting = worker
    worker.become('installed')
    expect(update.isOffered).toBe(false)
    worker.become('activated')
    expect(update.offline).toBe('ready')
  })

  it('[UP2] offers a new version and reloads only after the person said yes', async () => {
    const { registration, container, update, reloads } = setUp()
    registration.active = new ScriptedWorker()
    container.controller = registration.active
    await update.start()
    const next = new ScriptedWorker()
    registration.installing = next
    registration.dispatchEvent(new Event('updatefound'))
    registration.waiting = next
    next.become('installed')
    expect(update.isOffered).toBe(true)
    container.dispatchEvent(new Event('controllerchange'))
    expect(reloads()).toBe(0)
    update.apply()
    expect(next.messages).toEqual([{ type: 'SKIP_WAITING' }])
    container.dispatchEvent(new Event('controllerchange'))
    expect(reloads()).toBe(1)
  })

  it('[UP3] offers a version that was already waiting, and stays quiet after "later"', async () => {
    const { registration, container, update } = setUp()
    registration.active = new ScriptedWorker()
    registration.waiting = new ScriptedWorker()
    container.controller = registration.active
    await update.start()
    expect(update.isOffered).toBe(true)
    update.dismiss()
    expect(update.isOffered).toBe(false)
  })

  it('[UP4] asks for new versions now and then, harmlessly without a network', async () => {
    const { registration, update, checkNow } = setUp()
    await update.start()
    checkNow()
    expect(registration.updates).toBe(1)
  })

  it('[UP5] does nothing where there are no service workers', async () => {
    const update = createUpdateState({ serviceWorker: undefined, every: () => () => {}, reload: () => {} })
    await update.start()
    expect(update.offline).toBe('unavailable')
  })
})
