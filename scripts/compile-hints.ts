/**
 * Part of the page's build: each file of the page says that all its functions are called at once, which they are, because pages are fetched
 * when they are opened. V8 then compiles a file while it comes in, beside the main thread, instead of each function at its first call: on a
 * slow tablet that halves the time the page is blocked while it opens. Other engines read a comment.
 * @see https://v8.dev/blog/explicit-compile-hints
 */
import type { Plugin } from 'vite'

const ALL_FUNCTIONS = '//# allFunctionsCalledOnLoad'

export function compileHints(): Plugin {
  return {
    name: 'semblante-compile-hints',
    apply: 'build',
    generateBundle: {
      // It counts at the very top of a file only, above what Vite itself puts there.
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type === 'chunk') file.code = `${ALL_FUNCTIONS}\n${file.code}`
        }
      },
    },
  }
}
