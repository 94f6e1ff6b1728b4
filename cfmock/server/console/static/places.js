// Addresses: what the page shows stands behind the # of its address, and changes with it.

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @returns {Place} */
export function here() {
  const [path, text] = (location.hash.slice(2) || "executions").split("?");
  const query = new URLSearchParams(text);
  const world = {account: query.get("account") ?? "", region: query.get("region") ?? ""};
  return {path, parts: path.split("/").map(decoded), query, world};
}

/** A path with its query; what is empty is left out. @param {string} path @param {Record<string, string | number | null | undefined>} query */
export function at(path, query) {
  const words = Object.entries(query).filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return words.length ? `${path}?${words.join("&")}` : path;
}

/** The path of a thing. @param {...string} names */
export const to = (...names) => names.map(encodeURIComponent).join("/");

/** The address of a thing of a world. @param {string} view @param {string[]} names @param {any} [row] with `account` and `region` */
export const link = (view, names, row) => at(`#/${to(view, ...names)}`, worldOf(row));

/** @returns {Record<string, string>} */
export const worldOf = (row = {}) => ({account: row.account, region: row.region});

/** A glob for what holds a text, unless it is one; in quotes the text itself. @param {string | null} text */
export const holding = (text) => (!text || /[*?[]/.test(text) ? text : /^".+"$/.test(text) ? text.slice(1, -1) : `*${text}*`);

export const worldName = (row) => `${row.account || "default"} · ${row.region}`;

/** @returns {string} */
export const ofExecution = (row) => link("executions", [row.flow, row.execution ?? row.name], row);

/** Select a state, or no longer the one that is. @param {string} state */
export const choose = (state) => change({state: state === here().query.get("state") ? "" : state, line: ""}, true);

/** Go to an address, and be there. @param {string} address */
export function visit(address) {
  history.pushState(null, "", address);
  dispatchEvent(new Event("hashchange"));
}

/**
 * Change words of the query; with `step` the browser's back undoes it.
 * @param {Record<string, string>} words @param {boolean} [step]
 */
export function change(words, step = false) {
  const [path, text] = (location.hash || "#/executions").split("?");
  const query = new URLSearchParams(text);
  for (const [name, value] of Object.entries(words)) value ? query.set(name, value) : query.delete(name);
  const made = at(path, Object.fromEntries(query));
  if (made === location.hash) return;
  step ? history.pushState(history.state, "", made) : history.replaceState(history.state, "", made);
  dispatchEvent(new Event("hashchange"));
}
