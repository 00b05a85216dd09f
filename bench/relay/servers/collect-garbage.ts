/** Loaded before every server that runs on Node: SIGUSR2 collects the garbage, so that memory shows what is kept and not what was thrown away. */
process.on('SIGUSR2', () => globalThis.gc?.())
