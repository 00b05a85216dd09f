/** Where a request may carry its token: `?token=` first, then `Authorization: Bearer`, as YektaYar's clients do. Never log either. */

export function findToken(query: URLSearchParams, headers: ReadonlyMap<string, string>): string | undefined {
  const inQuery = query.get('token')
  if (inQuery !== null && inQuery !== '') return inQuery
  const match = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')
  return match?.[1]
}
