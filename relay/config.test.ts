import { describe, expect, it } from 'vitest'
import { isLoopback, parseConfig } from './config.ts'

function mistakesOf(environment: Record<string, string>): readonly string[] {
  const parsed = parseConfig(environment)
  return parsed.ok ? [] : parsed.mistakes
}

describe('configuration', () => {
  it('[CF1] works with nothing set: this machine only, port 8080', () => {
    const parsed = parseConfig({})
    expect(parsed).toMatchObject({
      ok: true,
      config: {
        port: 8080,
        host: '127.0.0.1',
        allowedOrigins: [],
        anonymousRoles: ['viewer', 'station'],
        staticDir: 'dist',
        transport: 'auto',
      },
    })
  })
  it('[CF2] reads every setting', () => {
    const parsed = parseConfig({
      PORT: '0',
      HOST: '0.0.0.0',
      ALLOWED_ORIGINS: 'https://a.example, http://b.example:81',
      ANONYMOUS_ROLES: 'viewer',
      LOG_LEVEL: 'debug',
      STATIC_DIR: '/srv/page',
      RELAY_TRANSPORT: 'ws',
      MESSAGES_PER_SECOND: '5',
      MAX_CONNECTIONS: '7',
    })
    expect(parsed.ok && parsed.config).toEqual({
      port: 0,
      host: '0.0.0.0',
      allowedOrigins: ['https://a.example', 'http://b.example:81'],
      anonymousRoles: ['viewer'],
      logLevel: 'debug',
      staticDir: '/srv/page',
      modelsDir: '',
      transport: 'ws',
      messagesPerSecond: 5,
      maxConnections: 7,
    })
  })
  it('[CF3] lists all mistakes at once, each with what was expected', () => {
    const mistakes = mistakesOf({
      PORT: '99999',
      LOG_LEVEL: 'loud',
      ANONYMOUS_ROLES: 'viewer,king',
      ALLOWED_ORIGINS: 'a.example/path',
      RELAY_TRANSPORT: 'tcp',
    })
    expect(mistakes.map((sentence) => sentence.split(' ')[0])).toEqual([
      'PORT',
      'ALLOWED_ORIGINS',
      'ANONYMOUS_ROLES',
      'LOG_LEVEL',
      'RELAY_TRANSPORT',
    ])
    expect(mistakes.join('\n')).toContain('from 0 to 65535')
    expect(mistakes.join('\n')).not.toContain('king')
  })
  it.each(['-1', '1.5', '8080x', ' 80', '0x50', '1e3'])('[CF4] does not take %j for a port', (port) => {
    expect(mistakesOf({ PORT: port })).toHaveLength(1)
  })
  it.each(['0.0.0.0', '::', '192.168.1.10', 'relay.example', 'localhost.evil.example', '::ffff:8.8.8.8'])(
    '[CF5] refuses to be open to the network by accident at %s',
    (host) => {
      expect(mistakesOf({ HOST: host }).join()).toContain('ANONYMOUS_ROLES must be set')
      expect(mistakesOf({ HOST: host, ANONYMOUS_ROLES: '' })).toEqual([])
      expect(mistakesOf({ HOST: host, ANONYMOUS_ROLES: 'viewer' })).toEqual([])
    },
  )
  it('[CF6] knows what only this machine can reach', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true])
    expect(['128.0.0.1', '::2', 'localhost.', ''].map(isLoopback)).toEqual([false, false, false, false])
  })
})
