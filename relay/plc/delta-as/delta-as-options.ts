/** What a machines file may say of a Delta AS beyond its address. */
import type { DriverOptions } from '../driver-entry.ts'
import type { AnswerLength } from './delta-frame.ts'

const FIELDS = ['answerBytes'] as const

/** @returns sentences that begin with the name of the option. */
export function checkDeltaAsOptions(options: DriverOptions): readonly string[] {
  const unknown = Object.keys(options).filter((name) => !FIELDS.some((field) => field === name))
  const mistakes = unknown.map((name) => `${name.slice(0, 40)}: no option of delta-as; it has ${FIELDS.join(', ')}.`)
  const isWrong = options['answerBytes'] !== undefined && readAnswerBytes(options) === undefined
  return isWrong ? [...mistakes, 'answerBytes: expected 2 or 200, or nothing to find out.'] : mistakes
}

/** Undefined: the driver finds out. */
export function readAnswerBytes({ answerBytes }: DriverOptions): AnswerLength | undefined {
  return answerBytes === 2 || answerBytes === 200 ? answerBytes : undefined
}
