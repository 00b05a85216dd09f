import type { MachineStatus } from '#shared/protocol/machine'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../shared/testing/fake-clock.ts'
import { relayStatsExample } from '../../../shared/testing/relay-stats-example.ts'
import type { AdminLink, AdminLinkListener } from '../link/admin-link.ts'
import type { PeerList } from '../link/peer-list.ts'
import { createAdminState, MAX_MACHINES, MAX_PRESENCE_NOTES, STALE_AFTER_MS } from './admin-state.svelte.ts'
import { createRememberedToken } from './remembered-token.ts'

const KEY = 'semblante.admin-token'

/** A link of which the test decides what the relay says; the real one is tested in `link/`. */
function createScriptedLink() {
  const opened: string[] = []
  let listener: AdminLinkListener | undefined
  let peerQuestions = 0
  let peers: PeerList | undefined = { peers: [{ peer: 'peer/1', roles: ['admin'] }], isComplete: true }
  const link: AdminLink = {
    open(token, next) {
      opened.push(token)
      listener = next
      next.onStatus({ kind: 'opening' })
    },
    close() {
      listener = undefined
    },
    retryNow() {},
    listPeers() {
      peerQuestions += 1
      return Promise.resolve(peers)
    },
  }
  return {
    link,
    opened,
    say: (): AdminLinkListener => {
      if (listener === undefined) throw new Error('the link is closed')
      return listener
    },
    isOpen: () => listener !== undefined,
    peerQuestions: () => peerQuestions,
    answerPeers: (next: PeerList | undefined) => void (peers = next),
  }
}

function setUp(remembered?: string) {
  const clock = createFakeClock(1_000_000)
  const scripted = createScriptedLink()
  const tab = new Map<string, string>(remembered === undefined ? [] : [[KEY, remembered]])
  const storage = {
    getItem: (key: string) => tab.get(key) ?? null,
    setItem: (key: string, value: string) => void tab.set(key, value),
    removeItem: (key: string) => void tab.delete(key),
  }
  const admin = createAdminState({ link: scripted.link, clock, remembered: createRememberedToken(() => storage) })
  return { ...scripted, admin, clock, tab, stop: admin.start() }
}

/** Somebody was let in. */
function setUpInside() {
  const all = setUp()
  all.admin.submit('good', false)
  all.say().onStatus({ kind: 'open', server: 'semblante/1' })
  return all
}

const machine = (id: string): MachineStatus => ({
  machine: id,
  name: id,
  time: 0,
  quality: 'good',
  position: 0,
  positions: 10,
  isMoving: false,
  direction: 'none',
  mode: 'remote',
  hasAlarm: false,
  isEmergencyStopped: false,
  isReady: true,
  hasDriveFault: false,
  hasPositioningError: false,
  connection: 'connected',
})

describe('administration: access', () => {
  it('[AS1] asks nothing of the relay before there is a token', () => {
    const { admin, opened } = setUp()
    expect(admin.view).toEqual({ kind: 'locked' })
    expect(opened).toEqual([])
  })

  it('[AS2] keeps the token in the tab only when asked to, and only once the relay has taken it', () => {
    const { admin, say, tab } = setUp()
    admin.submit('good', true)
    expect(tab.size).toBe(0)
    say().onStatus({ kind: 'open', server: 'semblante/1' })
    expect(tab.get(KEY)).toBe('good')

    const other = setUpInside()
    expect(other.tab.size).toBe(0)
  })

  it('[AS3] never keeps a token that the relay refused, and says why it did', () => {
    const { admin, isOpen, say, tab } = setUp()
    admin.submit('bad', true)
    say().onStatus({ kind: 'denied', denial: 'wrong-token', code: 'auth.token_invalid' })
    expect(admin.view).toEqual({ kind: 'locked', denied: { denial: 'wrong-token', code: 'auth.token_invalid' } })
    expect(tab.size).toBe(0)
    expect(isOpen()).toBe(false)
  })

  it('[AS4] tries a remembered token at once, and forgets it when it has expired', () => {
    const { admin, opened, say, tab } = setUp('old')
    expect(opened).toEqual(['old'])
    say().onStatus({ kind: 'denied', denial: 'expired', code: 'auth.token_expired' })
    expect(tab.size).toBe(0)
    expect(admin.view.kind).toBe('locked')
  })

  it('[AS5] shows nothing of what it heard once the token has expired or somebody left', () => {
    for (const end of ['expired', 'left', 'closed'] as const) {
      const { admin, isOpen, say, stop } = setUpInside()
      say().onStats(relayStatsExample())
      say().onMachine(machine('a'), 0)
      say().onPresence({ peer: 'peer/1', event: 'joined', roles: [] }, 0)
      if (end === 'expired') say().onStatus({ kind: 'denied', denial: 'expired', code: 'auth.token_expired' })
      else if (end === 'left') admin.leave()
      else stop()
      expect([admin.stats, admin.machines, admin.presence, admin.peers, admin.history.length]).toEqual([undefined, [], [], undefined, 0])
      expect(admin.view.kind).toBe('locked')
      expect(isOpen()).toBe(false)
    }
  })

  it('[AS6] leaving forgets a remembered token, closing the page does not', () => {
    const { admin, say, stop, tab } = setUp()
    admin.submit('good', true)
    say().onStatus({ kind: 'open', server: 'semblante/1' })
    stop()
    expect(tab.get(KEY)).toBe('good')
    admin.leave()
    expect(tab.size).toBe(0)
  })

  it('[AS7] leaves no timer behind when the page is closed', () => {
    const { clock, stop } = setUpInside()
    stop()
    expect(clock.pendingTimers()).toBe(0)
  })
})

describe('administration: reports', () => {
  it('[AS8] is waiting, then fresh, then stale when nothing came for five seconds, then fresh again', () => {
    const { admin, clock, say } = setUpInside()
    expect(admin.freshness).toBe('waiting')
    clock.advance(60_000)
    expect(admin.freshness).toBe('waiting')
    say().onStats(relayStatsExample())
    expect(admin.freshness).toBe('fresh')
    clock.advance(STALE_AFTER_MS)
    expect(admin.freshness).toBe('fresh')
    clock.advance(1000)
    expect(admin.freshness).toBe('stale')
    expect(admin.ageMs).toBe(6000)
    say().onStats(relayStatsExample())
    expect(admin.freshness).toBe('fresh')
  })

  it('[AS9] goes on showing what it last heard while the relay is away', () => {
    const { admin, say } = setUpInside()
    const stats = relayStatsExample()
    say().onStats(stats)
    say().onStatus({ kind: 'away', since: 7 })
    expect(admin.view).toEqual({ kind: 'away', since: 7 })
    expect(admin.stats).toBe(stats)
  })

  it('[AS10] keeps every report for the charts, at the time it was heard', () => {
    const { admin, clock, say } = setUpInside()
    say().onStats(relayStatsExample())
    clock.advance(1000)
    say().onStats(relayStatsExample())
    expect(admin.history.read('connections', 0).map(({ time }) => time)).toEqual([1_000_000, 1_001_000])
  })

  it('[AS11] keeps one entry per machine, by name, and no more machines than fit', () => {
    const { admin, clock, say } = setUpInside()
    say().onMachine(machine('b'), 0)
    say().onMachine(machine('a'), 4000)
    say().onMachine({ ...machine('b'), position: 3 }, 0)
    expect(admin.machines.map(({ heardAt, status }) => [status.machine, status.position, heardAt])).toEqual([
      ['a', 0, 996_000],
      ['b', 3, 1_000_000],
    ])
    for (let index = 0; index < MAX_MACHINES + 10; index += 1) {
      clock.advance(1)
      say().onMachine(machine(`m${index}`), 0)
    }
    expect(admin.machines).toHaveLength(MAX_MACHINES)
    expect(admin.machines.some(({ status }) => status.machine === 'a')).toBe(false)
  })

  it('[AS12] shows who came and went, newest first, and forgets the oldest', () => {
    const { admin, say } = setUpInside()
    for (let index = 0; index < MAX_PRESENCE_NOTES + 5; index += 1) {
      say().onPresence({ peer: `peer/${index}`, event: 'joined', roles: [] }, index)
    }
    expect(admin.presence).toHaveLength(MAX_PRESENCE_NOTES)
    expect(admin.presence[0]?.event.peer).toBe(`peer/${MAX_PRESENCE_NOTES + 4}`)
    expect(new Set(admin.presence.map(({ id }) => id)).size).toBe(MAX_PRESENCE_NOTES)
  })

  it('[AS13] asks who is there when it is let in, and after joins and leaves, but not at each of them', async () => {
    const { admin, clock, peerQuestions, say } = setUpInside()
    await Promise.resolve()
    expect(peerQuestions()).toBe(1)
    expect(admin.peers?.peers).toHaveLength(1)
    clock.advance(60_000)
    expect(peerQuestions()).toBe(1)
    for (let index = 0; index < 100; index += 1) say().onPresence({ peer: 'peer/2', event: 'joined', roles: [] }, 0)
    clock.advance(9000)
    expect(peerQuestions()).toBe(2)
    clock.advance(60_000)
    expect(peerQuestions()).toBe(2)
  })

  it('[AS14] does not hear the answer to a question that somebody else asked', async () => {
    const { admin, answerPeers, say } = setUp()
    admin.submit('good', false)
    answerPeers({ peers: [], isComplete: false })
    say().onStatus({ kind: 'open', server: 'semblante/1' })
    admin.leave()
    await Promise.resolve()
    await Promise.resolve()
    expect(admin.peers).toBeUndefined()
  })
})
