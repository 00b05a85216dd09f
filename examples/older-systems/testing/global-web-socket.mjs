// Loaded before a program that was written for browsers: Node 20 has no WebSocket of its own. Says when one opens, for samples that do not.
import { WebSocket } from 'ws'

globalThis.WebSocket = class extends WebSocket {
  constructor(...words) {
    super(...words)
    this.addEventListener('open', () => {
      console.error('socket open')
    })
  }
}
