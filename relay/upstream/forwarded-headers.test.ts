import { expect, it } from 'vitest'
import { toBackendHeaders } from './forwarded-headers.ts'

it.each(['x-forwarded-for', 'x_forwarded_for', 'x-forwarded_for', 'x_forwarded_host', 'forwarded', 'x-real-ip', 'x_real_ip', 'x_ws_relay'])(
  '[UH1] nobody says in %s who they are: the relay says it',
  (name) => {
    const headers = new Map([
      ['host', 'relay'],
      ['cookie', 'a=1'],
      [name, '6.6.6.6'],
    ])
    expect(toBackendHeaders({ headers, remoteAddress: '10.0.0.7' })).toEqual({
      cookie: 'a=1',
      'x-forwarded-for': '10.0.0.7',
      'x-forwarded-host': 'relay',
      'x-forwarded-proto': 'http',
    })
  },
)
