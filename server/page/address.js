// @ts-check
/** The page's own address of a run, `#run/ID`: who opens it sees the run again. */

import { find } from "./element.js";

/**
 * Shows the address of the one run that is seen, and opens the run of an address that is entered.
 * @param {any} store
 * @param {any} api
 * @param {(record: any) => void} reopen
 * @param {(error: any) => boolean} refused asks for a key where one is needed
 * @returns {() => Promise<void>} opens the run that the address names, where it names one
 */
export function keepAddress(store, api, reopen, refused) {
  addEventListener("hashchange", enter);
  store.watch(["submission"], (/** @type {any} */ { submission }) => {
    const { parts } = submission;
    const id = parts.length === 1 ? parts[0].id : null;
    if (id !== runOf(location.hash)) {
      history.replaceState(null, "", `${location.pathname}${location.search}${addressOf(id)}`);
    }
  });

  async function enter() {
    const id = runOf(location.hash);
    const seen = store.get().submission?.parts ?? [];
    if (!id || seen.some((/** @type {any} */ part) => part.id === id)) return;
    try {
      reopen(await api.run(id));
      find("intake-problem").textContent = "";
    } catch (error) {
      if (!refused(error)) find("intake-problem").textContent = say(error);
    }
  }

  return enter;
}

/** @param {string} hash @returns {string | null} */
export function runOf(hash) {
  return /^#run\/([\w-]{1,64})$/.exec(hash)?.[1] ?? null;
}

/** @param {string | null} id */
export function addressOf(id) {
  return id ? `#run/${id}` : "";
}

/** @param {any} error */
function say(error) {
  if (error.status === 404) return "There is no such run: it expired, or it is another key's.";
  return `The run cannot be opened. ${error.message} (${error.code ?? "PAGE_ERROR"})`;
}
