import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TOPIC_TABLE } from '#shared/generated/topic-table'
import { matchesTopic } from '#shared/protocol/topic-filter'
import { ROLES, type Action, type Identity, type Rights, type Role } from '../ports.ts'
import { ACCESS_POLICY_LIMITS, createAccessPolicy } from './access-policy.ts'
import { BUILT_IN_POLICY, builtInRules } from './built-in-policy.ts'
import { parsePolicy, parsePolicyText, type PolicyRules } from './policy-file.ts'

const NONE: Rights = { subscribe: [], publish: [], request: [] }

function identityOf(roles: readonly Role[], more: Partial<Identity> = {}): Identity {
  return { subject: 'someone', roles, rights: NONE, station: undefined, expiresAt: 1, ...more }
}
function rulesOf(roles: unknown): PolicyRules {
  const parsed = parsePolicy({ roles })
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  return parsed.rules
}
function mistakesOf(policy: unknown): readonly string[] {
  const parsed = parsePolicy(policy)
  return parsed.ok ? [] : parsed.mistakes
}

describe('the policy file', () => {
  it('[PF1] gives each role what it names and what it extends, and nothing to roles it does not name', () => {
    const rules = rulesOf({
      viewer: { subscribe: ['#'], request: ['relay'] },
      operator: { extends: 'viewer', subscribe: ['$relay/presence', '#'], publish: ['app/{subject}/#'] },
    })
    expect(rules.operator).toEqual({ subscribe: ['$relay/presence', '#'], publish: ['app/{subject}/#'], request: ['relay'] })
    expect([rules.station, rules.admin]).toEqual([NONE, NONE])
  })
  it('[PF2] lists all mistakes at once, each with its place and what was expected', () => {
    const roles = {
      viewer: { subscribe: '#', publishes: [], request: ['relay', 7] },
      station: { extends: 'admin', publish: ['emotion//x', 'emotion/{station', 'machine/press/status', '$relay/news'] },
      operator: { extends: 'root', request: ['machine/#/x'] },
      janitor: {},
    }
    expect(mistakesOf({ roles, role: {} })).toEqual([
      'The policy: "role" is not known; expected roles.',
      'roles: "janitor" is not known; expected viewer, station, operator, admin.',
      'roles.viewer: "publishes" is not known; expected extends, subscribe, publish, request.',
      'roles.viewer.subscribe must be a list of at most 256 filters; "#" came.',
      'roles.viewer.request[1] must be a text; a value of type number came.',
      'roles.station.publish[0] ("emotion//x") is no filter: Level 2 is not made of letters, digits, ".", "_" or "-" only.',
      'roles.station.publish[1] ("emotion/{station") is no filter: Level 2 is not made of letters, digits, ".", "_" or "-" only.' +
        ' Whole levels may also be {station} and {subject}.',
      'roles.station.publish[2] ("machine/press/status"): only the relay itself publishes there.',
      'roles.station.publish[3] ("$relay/news"): only the relay itself publishes there.',
      'roles.operator.extends must be one of viewer, station, operator, admin; "root" came.',
      'roles.operator.request[0] ("machine/#/x") is no filter: Level 2 is not made of letters, digits, ".", "_" or "-" only.',
      'roles.station.extends: the role admin is not in the policy.',
    ])
  })
  it('[PF3] finds roles that extend themselves, near and far', () => {
    expect(mistakesOf({ roles: { viewer: { extends: 'viewer' } } })).toEqual(['roles.viewer.extends: viewer extends itself in the end.'])
    const circle = {
      viewer: { extends: 'admin' },
      station: { extends: 'viewer' },
      admin: { extends: 'station' },
      operator: { extends: 'admin' },
    }
    expect(mistakesOf({ roles: circle })).toEqual(
      ['viewer', 'station', 'admin'].map((role) => `roles.${role}.extends: ${role} extends itself in the end.`),
    )
  })
  it.each([
    [undefined, 'The policy must be an object with roles; nothing came.'],
    [[], 'The policy must be an object with roles; a list of 0 came.'],
    [{}, 'roles must be an object with viewer, station, operator, admin; nothing came.'],
    [{ roles: { viewer: null } }, 'roles.viewer must be an object with extends, subscribe, publish, request; null came.'],
    [
      JSON.parse('{"roles":{"__proto__":{"publish":["#"]}}}'),
      'roles: "__proto__" is not known; expected viewer, station, operator, admin.',
    ],
  ])('[PF4] says of %j what was expected', (policy, mistake) => {
    expect(mistakesOf(policy)).toEqual([mistake])
  })
  it('[PF5] takes any value and any text without throwing, and a bounded number of mistakes', () => {
    fc.assert(fc.property(fc.anything(), (value) => Array.isArray(mistakesOf(value))))
    const role = fc.dictionary(
      fc.constantFrom('extends', 'subscribe', 'publish', 'toString'),
      fc.oneof(fc.constantFrom(...ROLES), fc.array(fc.string())),
    )
    fc.assert(fc.property(fc.dictionary(fc.constantFrom(...ROLES, 'x'), role), (roles) => Array.isArray(mistakesOf({ roles }))))
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof parsePolicyText(text).ok === 'boolean'))
    expect(mistakesOf({ roles: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`r${String(index)}`, {}])) })).toHaveLength(
      101,
    )
  })
})

describe('who may do what', () => {
  /** What of these is allowed. */
  const check = (rules: PolicyRules, identity: Identity, action: Action, targets: readonly string[]): readonly string[] => {
    const policy = createAccessPolicy(rules)
    return targets.filter((target) => policy.check(identity, action, target).ok)
  }
  it('[AP1] lets {station} stand for the station of the token, or for any one where it names none', () => {
    const rules = rulesOf({ station: { publish: ['emotion/{station}'], subscribe: ['app/{station}/#'] } })
    const targets = ['emotion/a', 'emotion/b', 'emotion/a/b']
    expect(check(rules, identityOf(['station'], { station: 'a' }), 'publish', targets)).toEqual(['emotion/a'])
    expect(check(rules, identityOf(['station']), 'publish', targets)).toEqual(['emotion/a', 'emotion/b'])
    const filters = ['app/a/#', 'app/+/x', 'app/#', 'app/b/x']
    expect(check(rules, identityOf(['station'], { station: 'a' }), 'subscribe', filters)).toEqual(['app/a/#'])
    expect(check(rules, identityOf(['station']), 'subscribe', filters)).toEqual(['app/a/#', 'app/+/x', 'app/b/x'])
  })
  it.each(['+', '#', 'a/b', '$relay', '', '{station}', 'a b'])(
    '[AP2] gives nothing by {subject} or {station} to who is called %s',
    (name) => {
      const rules = rulesOf({ viewer: { publish: ['app/{subject}', '{station}/x'], subscribe: ['{subject}/#', '{station}/#'] } })
      const identity = identityOf(['viewer'], { subject: name, station: name })
      expect(check(rules, identity, 'publish', ['app/a', 'app/+', 'app/a/b', 'app/a b', 'a/x'])).toEqual([])
      expect(check(rules, identity, 'subscribe', ['a/b', '#', '+/x', '$relay/stats', '$relay/#'])).toEqual([])
    },
  )
  it('[AP3] adds what the token itself names', () => {
    const rights = { subscribe: ['emotion/+'], publish: ['app/mine/#', '$relay/x', 'machine/+/status'], request: ['machine/press'] }
    const identity = identityOf([], { rights })
    const rules = rulesOf({})
    expect(check(rules, identity, 'subscribe', ['emotion/a', 'emotion/#', '#'])).toEqual(['emotion/a'])
    expect(check(rules, identity, 'publish', ['app/mine/x', 'app/other', '$relay/x', 'machine/a/status'])).toEqual(['app/mine/x'])
    expect(check(rules, identity, 'request', ['machine/press', 'machine/saw', 'relay'])).toEqual(['machine/press'])
  })
  it('[AP4] lets no client publish where only the relay may, whatever the policy and the token say', () => {
    const everything = { subscribe: ['#', '$relay/#'], publish: ['#', '+/+/+', '$relay/#'], request: ['#'] }
    const identity = identityOf([...ROLES], { rights: everything })
    const policy = createAccessPolicy(builtInRules())
    const owned = Object.values(TOPIC_TABLE).filter(({ publishers }) => publishers.every((publisher) => publisher === 'relay'))
    expect(owned.length).toBeGreaterThan(0)
    for (const { filter } of owned) {
      const topic = filter.replaceAll('+', 'x').replace('#', 'x')
      expect(policy.check(identity, 'publish', topic)).toEqual({
        ok: false,
        failure: { code: 'auth.forbidden', message: `Only the relay itself publishes on "${topic}".` },
      })
      expect(policy.check(identity, 'subscribe', topic).ok).toBe(true)
    }
  })
  it('[AP5] says which right is missing and which roles have it', () => {
    const policy = createAccessPolicy(builtInRules())
    const told = (identity: Identity, action: Action, target: string): unknown => {
      const result = policy.check(identity, action, target)
      return result.ok ? 'ok' : `${result.failure.code}: ${result.failure.message}`
    }
    expect(told(identityOf(['viewer']), 'publish', 'emotion/a')).toBe(
      'auth.forbidden: You have no right to publish on "emotion/a" (publish): it takes the role station or operator or admin; yours: viewer.',
    )
    expect(told(identityOf([]), 'subscribe', '$other/x')).toBe(
      'auth.forbidden: You have no right to subscribe to "$other/x" (subscribe): no role has it; yours: none.',
    )
    expect(told(identityOf(['station'], { station: 'b' }), 'publish', 'emotion/a')).toBe(
      'auth.forbidden: You have no right to publish on "emotion/a": your token speaks for the station "b" only.',
    )
    expect(told(identityOf(['station']), 'request', 'machine/press')).toContain(
      'right to ask "machine/press" (request): it takes the role operator or admin',
    )
  })
  it('[AP6] allows exactly what a rule covers: compared with trying every topic of a small world', () => {
    const names = ['a', 'b']
    const world = [...names, '$o'].flatMap((one) => [
      one,
      ...names.flatMap((two) => [`${one}/${two}`, ...names.map((three) => `${one}/${two}/${three}`)]),
    ])
    const level = fc.constantFrom('a', 'b', '+', '{station}', '{subject}')
    const filterOf = (part: fc.Arbitrary<string>) =>
      fc.tuple(fc.oneof(part, fc.constant('$o')), fc.array(part, { maxLength: 2 }), fc.boolean()).map(([first, rest, isOpen]) => {
        const levels = [first, ...rest].slice(0, 3)
        return (isOpen ? [...levels.slice(0, -1), '#'] : levels).join('/')
      })
    const lists = fc.record({
      subscribe: fc.array(filterOf(level), { maxLength: 3 }),
      publish: fc.array(
        filterOf(level).filter((filter) => !filter.startsWith('$')),
        { maxLength: 3 },
      ),
      request: fc.array(filterOf(level), { maxLength: 3 }),
    })
    const identities = fc.record({
      roles: fc.subarray([...ROLES]),
      station: fc.constantFrom(undefined, 'a', 'b'),
      subject: fc.constantFrom('a', 'b', '+', 'x/y'),
    })
    const plainFilter = filterOf(fc.constantFrom('a', 'b', '+'))
    fc.assert(
      fc.property(lists, lists, identities, plainFilter, (viewer, admin, who, wanted) => {
        const policy = createAccessPolicy(rulesOf({ viewer, admin: { extends: 'viewer', ...admin } }))
        const identity = identityOf(who.roles, who)
        // The other way round than the policy goes: each rule written out for this identity as texts, then tried on every topic.
        const written = (action: Action): readonly string[] =>
          [
            ...(who.roles.includes('viewer') || who.roles.includes('admin') ? viewer[action] : []),
            ...(who.roles.includes('admin') ? admin[action] : []),
          ]
            .filter((filter) => /^[ab]$/.test(who.subject) || !filter.includes('{subject}'))
            .map((filter) => filter.replaceAll('{station}', who.station ?? '+').replaceAll('{subject}', who.subject))
        const isCovered = (action: Action, topic: string): boolean =>
          written(action).some((filter) => matchesTopic(filter.split('/'), topic.split('/')))
        for (const topic of world) {
          expect(policy.check(identity, 'publish', topic).ok).toBe(!topic.startsWith('$') && isCovered('publish', topic))
          expect(policy.check(identity, 'request', topic).ok).toBe(isCovered('request', topic))
          expect(policy.check(identity, 'subscribe', topic).ok).toBe(isCovered('subscribe', topic))
        }
        // Whoever may listen to a filter may listen to everything it matches.
        if (policy.check(identity, 'subscribe', wanted).ok) {
          const heard = world.filter((topic) => matchesTopic(wanted.split('/'), topic.split('/')))
          expect(heard.filter((topic) => !isCovered('subscribe', topic))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
  it('[AP7] decides the same the second time, however much was asked between, and never by another identity', () => {
    const policy = createAccessPolicy(rulesOf({ station: { publish: ['emotion/{station}'] } }))
    const identities = Array.from({ length: 3 }, (_, index) => identityOf(['station'], { station: `s${String(index)}` }))
    const rounds = Math.ceil(ACCESS_POLICY_LIMITS.decisions / 3) + ACCESS_POLICY_LIMITS.decisionsPerIdentity
    let wrong = 0
    for (let round = 0; round < rounds; round += 1) {
      const topic = `emotion/s${String(round % 7 === 0 ? round % 3 : round)}`
      for (const identity of identities) {
        for (let again = 0; again < 2; again += 1) {
          if (policy.check(identity, 'publish', topic).ok !== (topic === `emotion/${identity.station ?? ''}`)) wrong += 1
        }
      }
    }
    expect(wrong).toBe(0)
  })
})

describe('the built-in policy', () => {
  const policy = createAccessPolicy(builtInRules())
  const table: readonly (readonly [Action, string, string])[] = [
    ['subscribe', '#', 'viewer station operator admin'],
    ['subscribe', 'machine/+/status', 'viewer station operator admin'],
    ['subscribe', '$relay/presence', 'operator admin'],
    ['subscribe', '$relay/stats', 'admin'],
    ['subscribe', '$relay/#', 'admin'],
    ['publish', 'emotion/kiosk', 'station operator admin'],
    ['publish', 'history/kiosk', 'station operator admin'],
    ['publish', 'app/x/y', 'station operator admin'],
    ['publish', 'order/1', 'station operator admin'],
    ['publish', 'machine/press/status', ''],
    ['publish', '$relay/stats', ''],
    ['request', 'relay', 'viewer station operator admin'],
    ['request', 'peer/abc', 'station operator admin'],
    ['request', 'machine/press', 'operator admin'],
    ['request', 'service/x', 'admin'],
  ]
  it.each(table)('[BP1] %s %s: allowed to %s', (action, target, roles) => {
    expect(ROLES.filter((role) => policy.check(identityOf([role]), action, target).ok).join(' ')).toBe(roles)
  })
  it('[BP2] covers every topic of the catalog for those it names as publishers, and for no others but admin', () => {
    for (const { filter, publishers } of Object.values(TOPIC_TABLE)) {
      const topic = filter.replaceAll('+', 'x').replace('#', 'x')
      const may = (role: Role): boolean => policy.check(identityOf([role]), 'publish', topic).ok
      expect(may('viewer')).toBe(false)
      expect(may('station')).toBe(publishers.some((publisher) => publisher === 'station'))
      expect(may('admin')).toBe(publishers.some((publisher) => publisher !== 'relay'))
    }
  })
  it('[BP3] is a text an operator can copy', () => {
    expect(BUILT_IN_POLICY).toBe(`{
  "roles": {
    "viewer": {
      "subscribe": ["#"],
      "request": ["relay", "machines", "vision", "assistant"]
    },
    "station": {
      "extends": "viewer",
      "publish": ["emotion/{station}", "history/{station}", "totals/{station}", "consent/{station}", "agent/+/message", "app/#", "order/#"],
      "request": ["peer/+", "process/#", "agents"]
    },
    "operator": {
      "extends": "station",
      "subscribe": ["$relay/presence"],
      "publish": ["agent/+/message", "app/#", "order/#"],
      "request": ["machine/#", "processes"]
    },
    "admin": {
      "extends": "operator",
      "subscribe": ["$relay/#"],
      "publish": ["#"],
      "request": ["#"]
    }
  }
}
`)
  })
})
