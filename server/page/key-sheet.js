// @ts-check
/** The sheet where the API key is given and forgotten. */

import { find } from "./element.js";
import { keepKey } from "./key.js";

/**
 * @param {any} store
 * @returns {{ask: (problem?: string) => void}}
 */
export function createKeySheet(store) {
  const sheet = find("key-dialog");
  const field = find("key");
  find("open-key").addEventListener("click", () => ask());
  find("close-key").addEventListener("click", () => sheet.close());
  find("forget-key").addEventListener("click", () => keep(""));
  find("key-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    keep(field.value.trim());
  });
  store.watch(["key"], show);

  /** @param {{key: string}} state */
  function show({ key }) {
    find("key-state").textContent = key ? "Key kept" : "Key";
    find("forget-key").hidden = !key;
  }

  /** @param {string} key */
  function keep(key) {
    keepKey(key);
    sheet.close();
    store.set({ key });
  }

  /** @param {string} [problem] why it is asked for */
  function ask(problem = "") {
    find("key-problem").textContent = problem;
    if (sheet.open) return;
    field.value = store.get().key;
    sheet.showModal();
    field.focus();
  }

  return { ask };
}
