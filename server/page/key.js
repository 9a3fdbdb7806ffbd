// @ts-check
/** The API key: kept by this browser only, sent in a header only. */

const NAME = "smart-resize.key";

/** @returns {string} empty where there is none */
export function readKey() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

/** @param {string} key */
export function keepKey(key) {
  try {
    if (key) localStorage.setItem(NAME, key);
    else localStorage.removeItem(NAME);
  } catch {
    // it is then forgotten when the page is closed
  }
}
