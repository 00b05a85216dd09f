import { describe, expect, it } from 'vitest'
import { parseConfig } from './config.ts'
import { writeGreeting } from './greeting.ts'

const TOKEN = 'configured-by-the-operator'

function greetingFor(
  environment: Readonly<Record<string, string>>,
  started: { port?: number; transport?: string; token?: string; compatPorts?: { dialect: string; port: number }[] } = {},
): string {
  const parsed = parseConfig(environment)
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  const { port = 8080, transport = 'uWebSockets.js', token, compatPorts = [] } = started
  return writeGreeting({ config: parsed.config, port, transport, compatPorts, generatedAdminToken: token })
}

describe('the greeting', () => {
  it('[GR1] says where everything is, on what it runs and what it keeps', () => {
    const greeting = greetingFor({})
    expect(greeting).toContain('Semblante is running on uWebSockets.js, without TLS.\n')
    expect(greeting).toMatch(/Page +http:\/\/127\.0\.0\.1:8080\/\n/)
    expect(greeting).toMatch(/Admin +http:\/\/127\.0\.0\.1:8080\/admin\n/)
    expect(greeting).toContain('curl -s -X POST http://127.0.0.1:8080/api/auth/acquire-session')
    expect(greeting).toMatch(/Listen +npm run tail\n/)
    expect(greeting).toContain('ws://127.0.0.1:8080/relay?token=TOKEN')
    expect(greeting).toMatch(/History +in memory/)
    expect(greeting).not.toMatch(/WARNING|Open to the network/)
  })
  it('[GR2] names the port that was bound, the slower transport and the file', () => {
    const greeting = greetingFor({ STORAGE_FILE: '/var/h.db', HOST: '::1' }, { port: 41_234, transport: 'ws' })
    expect(greeting).toContain('http://[::1]:41234/')
    expect(greeting).toContain('npm run tail -- --url http://[::1]:41234\n')
    expect(greeting).toContain('running on ws and node:http, without TLS (no uWebSockets.js binary')
    expect(greeting).toMatch(/History +\/var\/h\.db\n/)
  })
  it('[GR7] names the ports of older systems, and says loudly who comes in there without a token', () => {
    const ports = { COMPAT_PORTS: '0:carousel' }
    const greeting = greetingFor(ports, { compatPorts: [{ dialect: 'carousel', port: 8765 }] })
    expect(greeting).toMatch(/Port +127\.0\.0\.1:8765 speaks carousel at its root\n/)
    expect(greeting).toContain(
      'COMPAT_AUTH=none: any program of this machine that speaks carousel, vision or agent comes in without a token, as viewer.',
    )
    expect(greeting).not.toContain('WARNING')
    expect(greetingFor({ COMPAT_ROLE: 'operator' })).toMatch(/WARNING: COMPAT_AUTH=none: .* as operator\. Machines can be moved/)
    const open = { ...ports, COMPAT_HOST: '0.0.0.0' }
    expect(greetingFor({ ...open, COMPAT_AUTH: 'none' })).toContain('WARNING: COMPAT_AUTH=none: ANYBODY ON THE NETWORK')
    expect(greetingFor(open)).not.toContain('COMPAT_AUTH')
    expect(greetingFor({ HOST: '0.0.0.0', ADMIN_TOKEN: TOKEN })).not.toContain('COMPAT_AUTH')
  })
  it('[GR3] speaks of https and wss where there is a certificate', () => {
    const greeting = greetingFor({ TLS_CERT: 'c', TLS_KEY: 'k', HOST: '0.0.0.0', ANONYMOUS_ROLES: 'viewer' })
    expect(greeting).toContain('with TLS')
    expect(greeting).toContain('https://localhost:8080/')
    expect(greeting).toContain('wss://localhost:8080/relay')
    expect(greeting).toContain('npm run tail -- --url https://localhost:8080\n')
    expect(greeting).not.toContain('WARNING')
  })
  it('[GR4] shows a token made for this run once, on a line of its own and in no address; a configured one never', () => {
    const made = 'made-for-this-run-0123456789'
    const greeting = greetingFor({}, { token: made })
    expect(greeting.split(made)).toHaveLength(2)
    expect(greeting).toMatch(new RegExp(`\\n {2}Admin token +${made}\\n`))
    expect(greeting).toContain('set ADMIN_TOKEN')
    expect(greetingFor({ ADMIN_TOKEN: TOKEN })).not.toMatch(new RegExp(`${TOKEN}|Admin token`))
  })
  it('[GR5] says that it is open to the network, and for whom', () => {
    expect(greetingFor({ HOST: '0.0.0.0', ANONYMOUS_ROLES: 'viewer,station' })).toContain(
      'Open to the network at 0.0.0.0: anybody may come in as viewer, station.',
    )
    const closed = greetingFor({ HOST: '0.0.0.0', ADMIN_TOKEN: TOKEN })
    expect(closed).toContain('nobody comes in without a token')
    expect(closed).not.toContain('acquire-session')
  })
  it.each(['operator', 'admin', 'viewer,admin'])('[GR6] warns loudly where anybody on the network is %s', (roles) => {
    expect(greetingFor({ HOST: '0.0.0.0', ANONYMOUS_ROLES: roles })).toMatch(
      /WARNING: ANONYMOUS_ROLES makes ANYBODY on the network (operator|admin)/,
    )
    expect(greetingFor({ HOST: '127.0.0.1', ANONYMOUS_ROLES: roles })).not.toContain('WARNING')
  })
  it('[GR7] warns of tokens that cross the network in the open', () => {
    expect(greetingFor({ HOST: '0.0.0.0', ANONYMOUS_ROLES: 'viewer' })).toContain('WARNING: without TLS')
  })
})
