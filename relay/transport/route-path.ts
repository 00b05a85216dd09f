/** Which route covers a path: the exact one, else the longest that ends in `/*`. uWebSockets.js has the same rule built in. */
export function findByPath<Route>(routes: ReadonlyMap<string, Route>, path: string): Route | undefined {
  const exact = routes.get(path)
  if (exact !== undefined) return exact
  for (let end = path.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
    const found = routes.get(`${path.slice(0, end)}/*`)
    if (found !== undefined) return found
  }
  return undefined
}
