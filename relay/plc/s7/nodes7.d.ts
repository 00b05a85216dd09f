/** What the tests use of `nodes7`, which brings no types. */
declare module 'nodes7' {
  export default class NodeS7 {
    constructor(options: { readonly silent: boolean })
    initiateConnection(
      options: { readonly host: string; readonly port: number; readonly rack: number; readonly slot: number },
      callback: (error?: Error) => void,
    ): void
    addItems(names: readonly string[]): void
    readAllItems(callback: (hasProblem: boolean, values: Readonly<Record<string, unknown>>) => void): void
    writeItems(name: string, value: number | boolean, callback: (hasProblem: boolean) => void): number
    dropConnection(callback: () => void): void
  }
}
