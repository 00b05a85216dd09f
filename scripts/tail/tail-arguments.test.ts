import { expect, it } from 'vitest'
import { parseTailArguments } from './tail-arguments.ts'

it('[TA1] listens to all emotions of the relay on this machine when told nothing', () => {
  expect(parseTailArguments([])).toEqual({ ok: true, value: { url: new URL('http://localhost:8080'), filter: 'emotion/#', isJson: false } })
})

it('[TA2] takes the address with or without the name of its option', () => {
  const named = parseTailArguments(['--url', 'https://relay.example', '--json'])
  expect(named).toEqual(parseTailArguments(['https://relay.example', '--json']))
  expect(named).toMatchObject({ ok: true, value: { isJson: true } })
})

it.each([
  [['localhost:8080'], 'is no address'],
  [['--url', 'http://'], 'is no address'],
  [['--topic', 'emotion//x'], 'is no topic filter'],
  [['--colour'], 'Unknown option'],
])('[TA3] refuses %j and shows the usage', (words, problem) => {
  const result = parseTailArguments(words)
  expect(result).toMatchObject({ ok: false, isHelp: false, text: expect.stringContaining(problem) })
  expect(result).toMatchObject({ text: expect.stringContaining('npm run tail') })
})

it('[TA4] shows the usage when asked', () => {
  expect(parseTailArguments(['-h'])).toMatchObject({ ok: false, isHelp: true })
})
