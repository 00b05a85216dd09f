/**
 * Who may import whom: the table of CONTRIBUTING.md ("Rooms"), one rule per room. A room that has no rule here is a
 * mistake; `no-room-without-a-rule` finds it. Tests stand beside the code and may reach further, so they are left out
 * except where a rule says otherwise.
 */
const test = '[.]test[.]ts$|/testing/|^web/e2e/|/transport-contract/'

/** A room and everything it may import, as path patterns. Anything else under the four roots is forbidden. */
function room(name, from, allowed, options = {}) {
  return {
    name,
    severity: 'error',
    comment: `${from} may import only: ${allowed.join(', ') || 'nothing'}`,
    from: { path: from, pathNot: [test, ...(options.except ?? [])] },
    to: { path: '^(relay|shared|web|scripts|bench|examples)/', pathNot: [from, ...allowed] },
  }
}

/** Packages a room may import besides Node's own modules. */
function packages(name, from, allowed, options = {}) {
  return {
    name,
    severity: 'error',
    comment: `${from} may import only these packages: ${allowed.join(', ') || 'none'}`,
    from: { path: from, pathNot: [test, ...(options.except ?? [])] },
    to: {
      dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
      pathNot: allowed.map((name) => `node_modules/${name}/`),
    },
  }
}

const ports = '^relay/(ports|metric-catalog)[.]ts$'
const shared = '^shared/'
const adapters = ['transport', 'plc', 'inference', 'assistant', 'storage', 'cluster', 'auth', 'ops', 'upstream']

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'The import leads nowhere.',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:|[?]' },
    },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      comment: 'Add it to package.json.',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-package-at-run-time',
      severity: 'error',
      comment: 'Simulators are for demonstrations and tests; they say what to install where it is missing.',
      from: { path: '^relay/', pathNot: [test, '-simulator[.]ts$'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-vague-name',
      severity: 'error',
      comment: 'Name the file after what it holds.',
      from: {},
      to: { path: '^(relay|shared|web|scripts)/.*(^|/)(utils|helpers|types|index|common|misc)[.](ts|svelte)$' },
    },
    {
      name: 'no-test-from-code',
      severity: 'error',
      from: { pathNot: [test, '^scripts/(take-pictures|take-screenshots|lighthouse)[.]ts$', '^bench/memory/'] },
      to: { path: '[.]test[.]ts$|/testing/|^web/e2e/', pathNot: '^shared/testing/' },
    },
    {
      name: 'no-testing-kit-in-product',
      severity: 'error',
      from: { path: '^(relay|web|shared)/', pathNot: test },
      to: { path: '^shared/testing/' },
    },

    room('shared-model', '^shared/model/', []),
    room('shared-vision', '^shared/vision/', ['^shared/model/', '^shared/protocol/']),
    room('shared-protocol', '^shared/protocol/', ['^shared/model/', '^shared/generated/']),
    room('shared-client', '^shared/client/', ['^shared/protocol/', '^shared/model/', '^shared/generated/']),
    room('shared-generated', '^shared/generated/', ['^shared/protocol/', '^shared/model/']),
    packages('shared-model-packages', '^shared/model/', []),
    packages('shared-vision-packages', '^shared/vision/', ['typebox']),
    packages('shared-protocol-packages', '^shared/protocol/', ['typebox']),
    packages('shared-client-packages', '^shared/client/', ['partysocket']),

    room('relay-ports', ports, [shared]),
    room('relay-hub', '^relay/hub/', [ports, shared]),
    room('relay-session', '^relay/session/', ['^relay/hub/', ports, shared]),
    room('relay-dialect', '^relay/dialect/', [ports, shared]),
    room('relay-service', '^relay/service/', ['^relay/hub/', ports, shared]),
    ...adapters.map((name) => room(`relay-${name}`, `^relay/${name}/`, [ports, shared])),
    packages('relay-core-packages', '^relay/(hub|session|dialect|service)/', ['typebox'], { except: ['^relay/dialect/event/'] }),
    packages('relay-event-packages', '^relay/dialect/event/', ['socket.io-parser']),
    {
      name: 'relay-core-no-io',
      severity: 'error',
      comment: 'The core decides; adapters do the I/O.',
      from: { path: '^relay/(hub|session|dialect|service)/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-transport-names-the-wire',
      severity: 'error',
      from: { path: '^relay/', pathNot: [test, '^relay/transport/'] },
      to: { path: 'node_modules/(uWebSockets[.]js|@rjweb|ws|socket[.]io)/' },
    },
    {
      name: 'only-app-constructs',
      severity: 'error',
      comment: 'Adapters meet in relay/app.ts.',
      from: {
        path: '^relay/',
        pathNot: [test, '^relay/(app|access|doors|older-systems|machine-bridge)[.]ts$', ...adapters.map((name) => `^relay/${name}/`)],
      },
      to: { path: adapters.map((name) => `^relay/${name}/`) },
    },
    {
      name: 'relay-app-belongs-to-main',
      severity: 'error',
      from: { pathNot: [test, '^relay/main[.]ts$', '^bench/', '^scripts/'] },
      to: { path: '^relay/(app|main)[.]ts$' },
    },

    room('web-link', '^web/src/link/', [shared]),
    room('web-vision', '^web/src/vision/', [shared]),
    {
      name: 'web-worker-is-a-thread',
      severity: 'error',
      comment: 'The worker is reached as a thread, never imported.',
      from: { pathNot: [test, '^web/src/vision/worker/'] },
      to: { path: '^web/src/vision/worker/', dependencyTypesNot: ['type-only'], pathNot: '[?]worker' },
    },
    room('web-history', '^web/src/history/', [shared]),
    packages('web-history-packages', '^web/src/history/', ['idb']),
    room('web-state', '^web/src/state/', ['^web/src/(link|vision|history)/', shared]),
    room('web-ui', '^web/src/ui/', ['^web/src/state/', '^web/src/paraglide/', '^shared/(model|protocol)/']),
    {
      name: 'page-has-no-schemas',
      severity: 'error',
      comment: 'Schemas build themselves when they are loaded, and the page has generated guards: it needs their types only.',
      from: { path: '^web/src/', pathNot: test },
      to: {
        path: '^shared/protocol/(agent|consent|emotion|history|machine|messages|relay-report|topics)[.]ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-link-opens-sockets',
      severity: 'error',
      from: { path: '^web/', pathNot: [test, '^web/src/link/'] },
      to: { path: 'node_modules/(partysocket|ws)/' },
    },
    { name: 'web-and-relay-apart', severity: 'error', from: { path: '^web/src/' }, to: { path: '^relay/' } },
    { name: 'relay-and-web-apart', severity: 'error', from: { path: '^relay/' }, to: { path: '^web/' } },
    { name: 'shared-stands-alone', severity: 'error', from: { path: '^shared/' }, to: { path: '^(relay|web|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|model|docs|[.]cache|test-results|playwright-report)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.svelte.ts', '.svelte', '.js', '.mjs', '.d.ts'],
    },
  },
}
