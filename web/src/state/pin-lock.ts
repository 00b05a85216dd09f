/**
 * The PIN of kiosk mode: kept as a salted hash only, and wrong attempts wait longer and longer, over a reload too. It keeps passers-by out of the
 * settings; whoever has the tablet's own storage in hand can try all PINs, or delete this one. That is the documented way out.
 */
import type { RememberedSettings } from './remembered-settings.ts'

export type PinOutcome =
  | { readonly kind: 'right' }
  /** `waitMs`: 0 when the next attempt may follow at once. */
  | { readonly kind: 'wrong'; readonly waitMs: number }
  /** Not looked at: too soon. */
  | { readonly kind: 'waiting'; readonly waitMs: number }
  /** This page has no Web Cryptography, or nothing to compare with. */
  | { readonly kind: 'unavailable' }

export interface PinLock {
  /** False on plain http other than localhost: no PIN can be set or checked there. */
  readonly isAvailable: boolean
  readonly hasPin: boolean
  /** Until the next attempt; 0 when it may be made now. */
  waitMs(): number
  check(pin: string): Promise<PinOutcome>
  /** @param pin must be one, see `isPin`. @returns whether it will outlive the page; undefined when there is no Web Cryptography. */
  set(pin: string): Promise<boolean | undefined>
  clear(): void
}

export interface PinLockOptions {
  readonly remembered: RememberedSettings
  /** Missing on insecure pages. */
  readonly crypto: Pick<Crypto, 'getRandomValues'> & { readonly subtle: SubtleCrypto | undefined }
  /** Unix milliseconds. */
  readonly now: () => number
  /** Of PBKDF2. By default as OWASP's Password Storage Cheat Sheet of 2023 says for SHA-256. */
  readonly rounds?: number
}

export const PIN_LIMITS = {
  leastDigits: 4,
  mostDigits: 8,
  /** So many may be wrong in a row before anybody waits. */
  freeAttempts: 3,
  firstWaitMs: 30_000,
  longestWaitMs: 15 * 60_000,
} as const

const ROUNDS = 600_000
const MOST_ROUNDS = 10_000_000
const SALT_BYTES = 16
const HASH_BITS = 256
const PIN_KEY = 'kiosk-pin'
const ATTEMPTS_KEY = 'kiosk-attempts'

export function isPin(text: string): boolean {
  return /^\d+$/.test(text) && text.length >= PIN_LIMITS.leastDigits && text.length <= PIN_LIMITS.mostDigits
}

/** Digits of the scripts the page speaks as ASCII; anything else goes. */
export function toDigits(text: string): string {
  return text
    .replace(/[\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0))
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replace(/\D/g, '')
    .slice(0, PIN_LIMITS.mostDigits)
}

/** @param failures wrong attempts in a row. @returns the pause after them, milliseconds. */
export function toWaitMs(failures: number): number {
  const over = failures - PIN_LIMITS.freeAttempts
  return over < 0 ? 0 : Math.min(PIN_LIMITS.firstWaitMs * 2 ** Math.min(over, 16), PIN_LIMITS.longestWaitMs)
}

export function createPinLock({ remembered, crypto, now, rounds = ROUNDS }: PinLockOptions): PinLock {
  const { subtle } = crypto
  /** One at a time: attempts side by side would all be let through before the first is counted. */
  let isChecking = false

  function readAttempts(): Attempts {
    return parseAttempts(remembered.read(ATTEMPTS_KEY))
  }

  function waitMs(): number {
    const { failures, at } = readAttempts()
    const longest = toWaitMs(failures)
    // A clock that was put back must not make it longer than it was.
    return Math.min(longest, Math.max(0, at + longest - now()))
  }

  async function matches(kept: KeptPin, pin: string, key: SubtleCrypto): Promise<boolean> {
    const hash = await derive(key, pin, kept)
    let difference = hash.length ^ kept.hash.length
    for (const [index, byte] of hash.entries()) difference |= byte ^ (kept.hash[index] ?? 0)
    return difference === 0
  }

  return {
    isAvailable: subtle !== undefined,
    get hasPin() {
      return parsePin(remembered.read(PIN_KEY)) !== undefined
    },
    waitMs,
    async check(pin) {
      const kept = parsePin(remembered.read(PIN_KEY))
      if (subtle === undefined || kept === undefined) return { kind: 'unavailable' }
      const pauseMs = waitMs()
      if (pauseMs > 0 || isChecking) return { kind: 'waiting', waitMs: pauseMs }
      isChecking = true
      // Counted before it is looked at: a reload in between does not save it.
      const failures = readAttempts().failures + 1
      remembered.write(ATTEMPTS_KEY, JSON.stringify({ failures, at: now() }))
      const isRight = await matches(kept, pin, subtle).finally(() => {
        isChecking = false
      })
      if (!isRight) return { kind: 'wrong', waitMs: waitMs() }
      remembered.write(ATTEMPTS_KEY, '')
      return { kind: 'right' }
    },
    async set(pin) {
      if (subtle === undefined) return undefined
      const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
      const hash = await derive(subtle, pin, { salt, rounds })
      remembered.write(ATTEMPTS_KEY, '')
      return remembered.write(PIN_KEY, JSON.stringify({ salt: toHex(salt), rounds, hash: toHex(hash) }))
    },
    clear() {
      remembered.write(PIN_KEY, '')
      remembered.write(ATTEMPTS_KEY, '')
    },
  }
}

interface Recipe {
  readonly salt: Uint8Array<ArrayBuffer>
  readonly rounds: number
}

interface KeptPin extends Recipe {
  readonly hash: Uint8Array<ArrayBuffer>
}

interface Attempts {
  /** Wrong ones in a row. */
  readonly failures: number
  /** Of the last one, Unix milliseconds. */
  readonly at: number
}

async function derive(subtle: SubtleCrypto, pin: string, { salt, rounds }: Recipe): Promise<Uint8Array<ArrayBuffer>> {
  const key = await subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, key, HASH_BITS))
}

function parsePin(text: string | undefined): KeptPin | undefined {
  const value = parseRecord(text)
  const salt = fromHex(value?.['salt'])
  const hash = fromHex(value?.['hash'])
  const rounds = value?.['rounds']
  if (salt === undefined || hash === undefined || typeof rounds !== 'number') return undefined
  return Number.isInteger(rounds) && rounds > 0 && rounds <= MOST_ROUNDS ? { salt, hash, rounds } : undefined
}

function parseAttempts(text: string | undefined): Attempts {
  const value = parseRecord(text)
  const failures = value?.['failures']
  const at = value?.['at']
  if (typeof failures !== 'number' || typeof at !== 'number' || !(failures >= 0)) return { failures: 0, at: 0 }
  return { failures, at }
}

function parseRecord(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof text !== 'string' || !/^(?:[0-9a-f]{2})+$/.test(text)) return undefined
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
