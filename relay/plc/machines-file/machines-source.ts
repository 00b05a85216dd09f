/** Where the machines come from: the file the operator names, or the demonstration. Notices when the file changes. Leaves its contents to the parser. */
import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../ports.ts'
import { demonstrationMachines, parseMachinesText, type MachinesResult } from './parse-machines.ts'

export interface MachinesSource {
  read(): Promise<MachinesResult>
  /** Calls back after the file has changed and stayed the same for a moment. @returns ends watching. */
  watch(onChange: () => void): () => void
}

/** Looked at, not listened to: that works in containers and over network drives too. */
const LOOK_MS = 2_000
const MAX_BYTES = 4 * 1024 * 1024

export function createMachinesSource(file: string, clock: Clock): MachinesSource {
  return {
    async read() {
      if (file === '') return { ok: true, parsed: demonstrationMachines() }
      const mark = await findMark(file)
      if (mark === undefined) return { ok: false, mistakes: [`${file} cannot be read.`] }
      if (mark.sizeBytes > MAX_BYTES) return { ok: false, mistakes: [`${file} is larger than ${String(MAX_BYTES)} bytes.`] }
      try {
        return parseMachinesText(await readFile(file, 'utf8'))
      } catch {
        return { ok: false, mistakes: [`${file} cannot be read.`] }
      }
    },
    watch(onChange) {
      if (file === '') return () => undefined
      let told: string | undefined
      let seen: string | undefined
      let isLooking = false
      async function look(): Promise<void> {
        const now = (await findMark(file))?.text
        const isSettled = now === seen
        seen = now
        if (now === undefined || !isSettled || now === told) return
        const isFirst = told === undefined
        told = now
        if (!isFirst) onChange()
      }
      return clock.every(LOOK_MS, () => {
        if (isLooking) return
        isLooking = true
        void look().finally(() => {
          isLooking = false
        })
      })
    },
  }
}

/** Changes when the file does. */
async function findMark(file: string): Promise<{ readonly text: string; readonly sizeBytes: number } | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return { text: `${String(mtimeMs)} ${String(size)} ${String(ino)}`, sizeBytes: size }
  } catch {
    return undefined
  }
}
