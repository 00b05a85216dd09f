/**
 * Reads `text/event-stream` bytes (WHATWG HTML section 9.2.6) as they come, cut anywhere: inside a character, a line ending, an event. Knows
 * the `data` of events only, all that chat-completions servers use.
 */

export interface EventStreamReader {
  /** @returns the data of each event that ended in these bytes; undefined when one is longer than may be: give up then. */
  push(bytes: Uint8Array): readonly string[] | undefined
  /** @returns the data of a last event that no empty line ended, as some servers send it. */
  finish(): readonly string[]
}

/** @param maxEventCharacters of one line, and of one event's data. */
export function createEventStreamReader(maxEventCharacters: number): EventStreamReader {
  const decoder = new TextDecoder()
  let rest = ''
  let endedWithCarriageReturn = false
  let data: string[] = []
  let dataCharacters = 0

  function take(line: string, events: string[]): void {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'))
      data = []
      dataCharacters = 0
      return
    }
    if (line !== 'data' && !line.startsWith('data:')) return
    const value = line.slice('data:'.length).replace(/^ /, '')
    dataCharacters += value.length
    data.push(value)
  }
  function read(text: string, events: string[]): void {
    const fresh = endedWithCarriageReturn && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') endedWithCarriageReturn = text.endsWith('\r')
    const lines = (rest + fresh).split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    for (const line of lines) take(line, events)
  }
  return {
    push(bytes) {
      const events: string[] = []
      read(decoder.decode(bytes, { stream: true }), events)
      return rest.length > maxEventCharacters || dataCharacters > maxEventCharacters ? undefined : events
    },
    finish() {
      const events: string[] = []
      read(decoder.decode(), events)
      take(rest, events)
      take('', events)
      rest = ''
      return events
    },
  }
}
