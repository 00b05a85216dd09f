/**
 * `GET /metrics` for Prometheus. Numbers tell a stranger how busy the relay is, so they are for the operator: whoever has the configured token or
 * an `admin`'s; where no token is configured, programs on the same machine.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { HttpRequest, HttpResponse, TokenVerifier } from '../../ports.ts'
import { failureResponse } from '../http-answer.ts'

export interface MetricsDependencies {
  /** The text exposition format, as the collector wants it. */
  readonly readMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Empty: none is configured. */
  readonly metricsToken: string
  readonly verifier: TokenVerifier
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
}

export async function answerMetrics(request: HttpRequest, dependencies: MetricsDependencies): Promise<HttpResponse> {
  if (!(await mayRead(request, dependencies))) {
    const message = 'Send METRICS_TOKEN as `Authorization: Bearer …`; without one configured, ask from the same machine.'
    return failureResponse({ code: 'auth.token_invalid', message })
  }
  const { contentType, text } = await dependencies.readMetrics()
  const headers = { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  return { status: 200, headers, body: text }
}

async function mayRead(request: HttpRequest, { metricsToken, verifier, findToken }: MetricsDependencies): Promise<boolean> {
  const token = findToken(request.query, request.headers)
  if (token === undefined) return metricsToken === '' && isFromHere(request)
  if (metricsToken !== '' && isSame(token, metricsToken)) return true
  const identity = await verifier.verify(token)
  return identity.ok && identity.value.roles.includes('admin')
}

/** Takes the same time however much of it is right. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

const LOOPBACK = createLoopback()

/** A proxy on the same machine brings strangers too, and says so. */
function isFromHere({ remoteAddress, headers }: HttpRequest): boolean {
  if (headers.has('x-forwarded-for') || headers.has('forwarded')) return false
  if (isIPv4(remoteAddress)) return LOOPBACK.check(remoteAddress, 'ipv4')
  return isIPv6(remoteAddress) && LOOPBACK.check(remoteAddress, 'ipv6')
}

function createLoopback(): BlockList {
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  return list
}
