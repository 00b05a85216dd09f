import { describe, expect, it } from 'vitest'
import { findFileKind, findFileProblem, MAX_FILM_BYTES, MAX_PICTURE_BYTES } from './picture-file.ts'

describe('picture files', () => {
  it.each([
    ['a.jpg', 'image/jpeg', 'picture'],
    ['a.heic', '', 'picture'],
    ['A.MOV', '', 'film'],
    ['a.webm', 'video/webm', 'film'],
    ['a.svg', 'image/svg+xml', undefined],
    ['a.jpg', 'text/plain', undefined],
    ['a.txt', '', undefined],
  ] as const)('[PF1] %s of type "%s" is %s', (name, type, kind) => {
    expect(findFileKind({ name, type })).toBe(kind)
  })

  it.each([
    [{ name: 'a.txt', type: 'text/plain', size: 5 }, 'kind'],
    [{ name: 'a.jpg', type: 'image/jpeg', size: 0 }, 'empty'],
    [{ name: 'a.jpg', type: 'image/jpeg', size: MAX_PICTURE_BYTES + 1 }, 'large'],
    [{ name: 'a.mp4', type: 'video/mp4', size: MAX_PICTURE_BYTES + 1 }, undefined],
    [{ name: 'a.mp4', type: 'video/mp4', size: MAX_FILM_BYTES + 1 }, 'large'],
  ] as const)('[PF2] says what is wrong with %j without opening it: %s', (file, problem) => {
    expect(findFileProblem(file)).toBe(problem)
  })
})
