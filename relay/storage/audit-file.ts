/**
 * The AuditLog port on a file of JSON lines, opened append-only, each line chained to the one before (`audit-chain.ts`).
 *
 * When a line counts as safe: written and `fdatasync` done, before `append` answers; lines that come while one is being written share the next
 * sync. Lines come at the pace of people, so that costs nothing that anybody notices. When the disk refuses, `append` answers false and the
 * next one opens the file anew: half a line that may have got there is noted as torn.
 */
import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import type { AuditEntry, AuditLog, Log } from '../ports.ts'
import { CHAIN_START, readLine, tornNote, writeLine, type ChainHead } from './audit-chain.ts'

export interface AuditFileOptions {
  /** Its folder must exist. One relay writes it. */
  readonly file: string
  readonly log: Log
}

/** What is read of the end of the file when it is opened: commands that never ended are looked for there. */
const TAIL_BYTES = 1024 * 1024
const MAX_WAITING = 1_000
/** For whoever starts the relay, and nobody else. */
const MODE = 0o640
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR

interface OpenFile {
  readonly handle: FileHandle
  readonly ino: number
  head: ChainHead
  sizeBytes: number
}
interface Waiting {
  readonly entry: AuditEntry
  readonly settle: (isSafe: boolean) => void
}

export function createAuditFile({ file, log }: AuditFileOptions): AuditLog {
  let current: OpenFile | undefined
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let isClosed = false
  let isFailing = false

  async function openFile(): Promise<{ readonly opened: OpenFile; readonly tail: Tail }> {
    const handle = await open(file, FLAGS, MODE)
    try {
      const { size, ino } = await handle.stat()
      const tail = await readTail(handle, size)
      const opened: OpenFile = { handle, ino, head: tail.head, sizeBytes: size }
      if (tail.repair !== '') await write(opened, tail.repair, tail.repairedHead)
      return { opened, tail }
    } catch (error) {
      await handle.close()
      throw error
    }
  }
  async function write(opened: OpenFile, text: string, head: ChainHead): Promise<void> {
    const bytes = Buffer.from(text, 'utf8')
    let written = 0
    while (written < bytes.length) written += (await opened.handle.write(bytes, written)).bytesWritten
    await opened.handle.datasync()
    opened.head = head
    opened.sizeBytes += bytes.length
  }
  /** The file that is written must be the one that stands there, and nobody else's line may be in it. */
  async function isStillOurs({ handle, ino, sizeBytes }: OpenFile): Promise<boolean> {
    const [held, there] = await Promise.all([handle.stat(), stat(file).catch(() => undefined)])
    return there?.ino === ino && held.size === sizeBytes
  }
  async function ready(): Promise<OpenFile> {
    if (current !== undefined && (await isStillOurs(current))) return current
    await drop()
    current = (await openFile()).opened
    return current
  }
  async function drop(): Promise<void> {
    const dropped = current
    current = undefined
    await dropped?.handle.close().catch(() => undefined)
  }
  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const opened = await ready()
      let head = opened.head
      let text = ''
      for (const { entry } of batch) {
        const line = writeLine(head, { at: new Date(entry.time).toISOString(), ...entry })
        head = line.head
        text += line.text
      }
      await write(opened, text, head)
      isFailing = false
      for (const { settle } of batch) settle(true)
    } catch (error) {
      if (!isFailing) log.error({ event: 'audit.failed', error: describe(error) })
      isFailing = true
      await drop()
      for (const { settle } of batch) settle(false)
    }
  }
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await writeBatch(batch)
    }
    writing = undefined
  }
  return {
    async open() {
      try {
        const { opened, tail } = await openFile()
        current = opened
        log.info({ event: 'audit.opened', lines: opened.head.count, hash: opened.head.hash, unfinished: tail.unfinished.length })
        return { ok: true, unfinished: tail.unfinished }
      } catch (error) {
        return { ok: false, problem: describe(error) }
      }
    },
    append(entry) {
      if (isClosed || waiting.length >= MAX_WAITING) return Promise.resolve(false)
      return new Promise((settle) => {
        waiting.push({ entry, settle })
        writing ??= writeAll()
      })
    },
    async close() {
      isClosed = true
      await writing
      await drop()
    },
  }
}

interface Tail {
  /** Of the last whole line. */
  readonly head: ChainHead
  /** What has to be written first, because the last line was torn. */
  readonly repair: string
  readonly repairedHead: ChainHead
  readonly unfinished: readonly AuditEntry[]
}

/** Rejects when the last whole line is none of a chain: then this is no audit log, or somebody has changed it. */
async function readTail(handle: FileHandle, sizeBytes: number): Promise<Tail> {
  const length = Math.min(sizeBytes, TAIL_BYTES)
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, sizeBytes - length)
  const lines = bytes.toString('utf8', 0, bytesRead).split('\n')
  // The first of a part of the file is half a line.
  if (sizeBytes > length) lines.shift()
  const last = lines.pop() ?? ''
  const head = findHead(lines)
  const unfinished = findUnfinished(lines)
  if (last === '') return { head, repair: '', repairedHead: head, unfinished }
  const whole = readLine(head, last)
  if (whole.ok) return { head, repair: '\n', repairedHead: whole.head, unfinished: findUnfinished([...lines, last]) }
  const note = writeLine(head, tornNote(last))
  return { head, repair: `\n${note.text}`, repairedHead: note.head, unfinished }
}

function findHead(lines: readonly string[]): ChainHead {
  const last = lines.at(-1)
  if (last === undefined) return CHAIN_START
  const read = readLine(undefined, last)
  if (read.ok) return read.head
  throw new Error(`its last line ${read.why}; look at it with "npm run audit -- verify", move it away and start again`)
}

const ENDS = ['done', 'failed', 'timedOut', 'superseded', 'unknown']

function findUnfinished(lines: readonly string[]): readonly AuditEntry[] {
  const open = new Map<string, AuditEntry>()
  for (const line of lines) {
    const entry = readEntry(line)
    if (entry?.state === 'accepted') open.set(entry.command, entry)
    else if (entry !== undefined && ENDS.includes(entry.state)) open.delete(entry.command)
  }
  return [...open.values()]
}

/** Only what is needed to say that nobody knows how it ended. */
function readEntry(line: string): AuditEntry | undefined {
  const read = readLine(undefined, line)
  if (!read.ok) return undefined
  const { machine, command, name, by, from, state, time, code, argument } = read.value
  const states = ['accepted', 'refused', 'done', 'failed', 'timedOut', 'superseded', 'unknown'] as const
  const known = states.find((candidate) => candidate === state)
  const isWhole = typeof machine === 'string' && typeof command === 'string' && typeof name === 'string' && typeof time === 'number'
  if (known === undefined || !isWhole || typeof by !== 'string' || typeof from !== 'string') return undefined
  return {
    ...{ time, machine, command, name, by, from, state: known },
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof argument === 'number' ? { argument } : {}),
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
