/** What every transport is made of. */
import type { Log, TransportRoutes } from '../ports.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface TransportOptions {
  readonly routes: TransportRoutes
  readonly log: Log
  /** Encrypts everything on the port. Absent: plain. */
  readonly tls?: TlsFiles
  /** Addresses and subnets (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed. Absent: nobody's. */
  readonly trustedProxies?: readonly string[]
}
