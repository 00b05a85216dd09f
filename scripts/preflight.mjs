/**
 * What has to be true before any TypeScript of ours can run. Plain JavaScript, so that an old Node can still read it and say
 * what is wrong in one sentence. What needs more than Node itself is left to the scripts that come after.
 */
import { existsSync, readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)

/** @returns {string | undefined} one sentence that says what is missing and what to do, or nothing when all is well. */
export function findObstacle() {
  const wanted = /(\d+)\.(\d+)/.exec(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).engines.node)
  const found = /^v(\d+)\.(\d+)/.exec(process.version)
  if (wanted && found && isOlder(found, wanted)) {
    return `Semblante needs Node ${wanted[0]} or later and this is ${process.version}; install a newer one from https://nodejs.org.`
  }
  if (!existsSync(new URL('node_modules/tsx/package.json', root))) {
    return 'The packages are not installed; run "npm ci" in this folder first.'
  }
  return undefined
}

/** Ends the process with the sentence, so that no stack trace hides it. */
export function requireReady() {
  const obstacle = findObstacle()
  if (obstacle === undefined) return
  console.error(obstacle)
  process.exit(1)
}

/** @param {RegExpExecArray} found @param {RegExpExecArray} wanted */
function isOlder(found, wanted) {
  const major = Number(found[1]) - Number(wanted[1])
  return major < 0 || (major === 0 && Number(found[2]) < Number(wanted[2]))
}
