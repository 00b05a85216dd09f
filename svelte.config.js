/** Read by svelte-check, eslint-plugin-svelte and the Vite plugin. Runes everywhere, also in files that do not use one yet. */
export default {
  compilerOptions: { runes: true },
}
