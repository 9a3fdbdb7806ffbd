// @ts-check
/** The before of what runs made: what the page was not given itself comes from the server. */

import { fetchSources } from "./sources.js";

/**
 * Brings the sources of a run that has succeeded, where results would have none to compare with.
 * @param {any} store
 * @param {any} api
 */
export function keepBefore(store, api) {
  /** @type {AbortController | null} one for each submission */
  let current = null;
  let asked = new Set();
  /** @type {string[]} */
  let copies = [];
  store.watch(["submission"], (/** @type {any} */ { submission }) => {
    if (submission?.control !== current) {
      current = submission.control;
      asked = new Set();
      for (const copy of copies) URL.revokeObjectURL(copy);
      copies = [];
    }
    for (const part of submission.parts) {
      if (part.status !== "succeeded" || asked.has(part.id) || !lacks(submission, part)) continue;
      asked.add(part.id);
      bring(part);
    }
  });

  /** @param {any} part */
  async function bring(part) {
    const control = current;
    tell({ [part.id]: "fetching" });
    const found = await fetchSources(api, part.id).catch(() => null);
    if (current !== control) return (found ?? []).forEach(forget);
    copies.push(...(found ?? []).flatMap(({ preview }) => preview ?? []));
    const { sources } = store.get().submission;
    tell({ [part.id]: found ?? "unreachable" }, merge(sources, part, found ?? []));
  }

  /**
   * @param {Record<string, any>} change
   * @param {Map<any, any>} [sources]
   */
  function tell(change, sources) {
    const { submission } = store.get();
    const brought = { ...submission.brought, ...change };
    store.set({
      submission: { ...submission, brought, sources: sources ?? submission.sources },
    });
  }
}

/**
 * What is to be said of sources that are not there, in words.
 * @param {any} submission
 * @returns {string[]}
 */
export function beforeNotes({ brought = {} }) {
  const told = Object.values(brought);
  if (told.includes("fetching")) return ["Fetching the source to compare with …"];
  const all = told.flatMap((each) => (Array.isArray(each) ? each : [{ lack: each }]));
  return Object.entries(REASONS).flatMap(([lack, words]) => {
    const count = all.filter((each) => each.lack === lack).length;
    if (!count) return [];
    const what = all.length === 1 ? "the source" : `${count} of ${all.length} sources`;
    return [`Nothing to compare with: ${words.replace("{}", what)}.`];
  });
}

const REASONS = Object.freeze({
  gone: "the server has {} no longer",
  unreadable: "this browser cannot show {}",
  unreachable: "{} could not be fetched",
});

/**
 * Whether results of a part have no before, and the server may.
 * @param {any} submission
 * @param {any} part
 */
function lacks({ sources }, part) {
  if (!part.request) return true;
  return part.request.pictures.some((/** @type {string} */ id) => {
    const picture = sources.get(id);
    return picture && picture.url !== null && !picture.preview;
  });
}

/**
 * @param {Map<any, any>} sources by the picture's id, of a run of before by its number
 * @param {any} part
 * @param {import("./sources.js").Source[]} found
 */
function merge(sources, part, found) {
  const merged = new Map(sources);
  found.forEach((source, number) => {
    const id = part.request?.pictures[number] ?? number;
    const known = merged.get(id);
    if (!known?.preview) merged.set(id, { ...known, ...source });
  });
  return merged;
}

/** @param {import("./sources.js").Source} source */
function forget({ preview }) {
  if (preview) URL.revokeObjectURL(preview);
}
