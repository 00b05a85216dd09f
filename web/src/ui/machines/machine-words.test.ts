import { INTERLOCKS } from '#shared/model/machine-interlocks'
import { ERRORS } from '#shared/protocol/errors'
import { describe, expect, it } from 'vitest'
import { errorSentence, obstacleSentence, personName } from './machine-words.ts'

describe('words of the machine pages', () => {
  it('[MP39] has a sentence of its own for every error of machines, and one with the code for any other', () => {
    const codes = Object.keys(ERRORS).filter((code) => code.startsWith('machine.'))
    expect(codes.length).toBeGreaterThan(5)
    expect(errorSentence('rate.limited')).toContain('rate.limited')
    for (const code of codes) expect(errorSentence(code)).not.toContain(code)
    expect(new Set(codes.map(errorSentence)).size).toBe(codes.length)
  })

  it('[MP40] tells every interlock apart, in two sentences: what is, and what to do', () => {
    const sentences = INTERLOCKS.map(obstacleSentence)
    expect(new Set(sentences).size).toBe(INTERLOCKS.length)
    for (const sentence of sentences) expect(sentence.split(/[.](?:\s|$)/).filter((part) => part !== '')).toHaveLength(2)
  })

  it('[MP41] names people as the relay does, and sessions without a token by the end of theirs', () => {
    expect(personName('ana')).toBe('ana')
    expect(personName('anonymous-iu1UjKQvRjAc')).not.toContain('iu1U')
    expect(personName('anonymous-iu1UjKQvRjAc')).toContain('RjAc')
  })
})
