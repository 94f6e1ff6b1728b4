// The admin API: one door for requests, one stream of changes.

import {field, form, h, submit} from "./dom.js";

const ROOT = "/_cfmock/";

/** Kept in memory only. */
let token = "";

/** @type {Promise<void> | null} */
let asking = null;

/** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} */
async function open(path, options = {}) {
  for (;;) {
    const sent = token;
    const headers = sent ? {Authorization: `Bearer ${sent}`} : undefined;
    const answer = await fetch(ROOT + path, {...options, headers, cache: "no-store"});
    if (answer.status !== 401) return answer;
    if (sent === token) await (asking ??= ask(Boolean(sent)).finally(() => (asking = null)));
  }
}

/** Ask for the token of the admin API. @param {boolean} again @returns {Promise<void>} */
function ask(again) {
  return new Promise((done) => {
    const given = h("input", {type: "password", autocomplete: "off", required: true});
    const dialog = h("dialog", {"aria-labelledby": "token-title", oncancel: (event) => event.preventDefault()}, form(async () => {
      token = given.value;
      dialog.remove();
      done();
    },
    h("h2", {id: "token-title"}, "Admin token"), h("p", again ? "That is not the token of this server." : "This server was started with --admin-token."),
    field("Token", given, "Kept in memory until this tab is closed or loaded again."), submit("Continue")));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** @param {Response} answer @returns {Promise<never>} */
async function refuse(answer) {
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(told.error ?? `HTTP ${answer.status}`), {refused: answer.status < 500});
}

/** What a list shows where the server knows nothing of that kind: why. */
export const refused = (instead) => (error) => {
  if (!error.refused) throw error;
  return {...instead, wrong: error.message};
};

/** What an address answers: JSON. @param {string} path @returns {Promise<any>} */
export async function get(path) {
  const answer = await open(path);
  return answer.ok ? answer.json() : refuse(answer);
}

/** @param {string} path @returns {Promise<string>} */
async function getText(path) {
  const answer = await open(path);
  return answer.ok ? answer.text() : refuse(answer);
}

/** @param {string} method @param {string} path @param {any} [body] @returns {Promise<any>} */
export async function send(method, path, body) {
  const answer = await open(path, {method, body: body === undefined ? undefined : JSON.stringify(body)});
  return answer.ok ? answer.json().catch(() => null) : refuse(answer);
}

/** @type {Promise<any> | null} */
let read = null;

/** The description of the admin API, read once. @returns {Promise<any>} */
export const described = () => (read ??= get("openapi.json").catch((error) => {
  read = null;
  throw error;
}));

/** A picture of our own server, as text. @param {string} path @returns {Promise<string>} */
export async function picture(path) {
  const [text] = await Promise.all([getText(path), style()]);
  return text;
};

/** A picture as a node of this page. @param {string} text @returns {Element} */
export function drawn(text) {
  const read = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (read.nodeName !== "svg") throw new Error("the picture cannot be read");
  for (const each of read.querySelectorAll("script, foreignObject, a")) each.remove();
  return document.importNode(read, true);
}

/** @type {Promise<void> | null} */
let styled = null;

/** The style sheet of pictures, once. */
function style() {
  return (styled ??= getText("graph.css").then((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }));
}

/**
 * Follow what changes, over one connection, which is closed while the tab is hidden.
 * @param {(kinds: Set<string>) => void} changed
 * @param {(state: "live" | "paused" | "offline") => void} tell
 */
export function follow(changed, tell) {
  /** @type {number | null} */
  let since = null;
  /** @type {AbortController | null} */
  let running = null;

  async function read() {
    const control = (running = new AbortController());
    try {
      const answer = await open(since === null ? "changes" : `changes?since=${since}`, {signal: control.signal});
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      tell("live");
      if (since === null) changed(new Set(["reset"]));
      const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const {done, value} = await lines.read();
        if (done) break;
        const parts = (rest + value).split("\n");
        rest = parts.pop() ?? "";
        /** @type {Set<string>} */
        const kinds = new Set();
        for (const part of parts) {
          const row = JSON.parse(part);
          since = row.number;
          kinds.add(row.kind);
        }
        if (kinds.size) changed(kinds);
      }
    } catch { /* asked for again below */ }
    if (running !== control || document.hidden) return;
    running = null;
    tell("offline");
    setTimeout(() => { if (!running && !document.hidden) void read(); }, 1500);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      running?.abort();
      running = null;
      tell("paused");
    } else if (!running) void read();
  });
  if (!document.hidden) void read();
}
