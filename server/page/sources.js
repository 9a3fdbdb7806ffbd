// @ts-check
/** What a run was given, as the server keeps it: small copies to draw with. */

import { readCopy } from "./picture.js";

/**
 * @typedef {object} Source
 * @property {string} name
 * @property {string | null} preview address of a small copy; whoever has it forgets it
 * @property {[number, number] | null} size upright, px
 * @property {"" | "gone" | "unreadable" | "unreachable"} lack why there is no copy
 */

/**
 * The sources of a run in their order, fetched one after the other.
 * @param {any} api
 * @param {string} run
 * @returns {Promise<Source[]>}
 */
export async function fetchSources(api, run) {
  const found = [];
  for (const item of await api.sources(run)) found.push(await fetchSource(api, item));
  return found;
}

/**
 * @param {any} api
 * @param {any} item
 * @returns {Promise<Source>}
 */
async function fetchSource(api, item) {
  const known = { name: item.file_name, preview: null, size: null };
  if (!item.url) return { ...known, lack: "gone" };
  let data;
  try {
    data = await api.picture(item.url);
  } catch (error) {
    return { ...known, lack: /** @type {any} */ (error).status === 404 ? "gone" : "unreachable" };
  }
  try {
    return { ...known, ...(await readCopy(data)), lack: "" };
  } catch {
    return { ...known, lack: "unreadable" };
  }
}
