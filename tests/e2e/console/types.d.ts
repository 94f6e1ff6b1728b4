// Types that the console's modules share.

/** An address: `path` names a view and its thing, `query` holds filters and what is selected; `world` is the part of it that requests share. */
type Place = {path: string, parts: string[], query: URLSearchParams, world: Record<string, string>};

/**
 * A view: made once for a path. `load` reads what it shows, `draw` shows that; they are called again whenever something of its
 * `kinds` or the query of its address has changed. It is not drawn again while data and query make the same `look`.
 */
type View = {title: string, node: HTMLElement, kinds: string[], look?: string, load: (place: Place) => Promise<any>, draw: (data: any, place: Place) => void};

type Make = (place: Place) => View;
