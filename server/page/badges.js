// @ts-check
/** What a record proves, in short words. */

import { element, icon } from "./element.js";
import { SEAM_VISIBLE, capital, worstSeam } from "./words.js";

const PREVIEW = "Preview: weight-free, continues what is there, invents nothing.";

/**
 * @param {any} output
 * @param {string[]} shared warnings that are told elsewhere
 * @returns {HTMLElement[]}
 */
export function badges(output, shared) {
  const record = output.record ?? {};
  const found = [proof(record.preservation), seam(worstSeam(record))];
  if (output.needs_review) {
    const why = [...(record.review ?? [])].map(capital).join(" ");
    found.push(badge("warn", "warn", "Needs review", why || "Look at it before you use it."));
  }
  for (const warning of output.warnings ?? []) {
    if (!shared.includes(warning)) found.push(badge("warn", "warn", capital(warning)));
  }
  if (record.fallback) found.push(badge("plain", null, `Filled with ${record.fallback} instead`));
  found.push(engine(record));
  return found.filter((each) => each !== null);
}

/** @param {any} preservation */
function proof(preservation) {
  if (!preservation) return null;
  const { changed, resampled, seam: band, difference } = preservation;
  if (changed !== 0) {
    return badge("bad", "warn", `Source changed: ${changed} px`, `By up to ${difference} levels.`);
  }
  const against = resampled ? "the source resampled once" : "the source, pixel by pixel";
  const outside = band ? ` outside the seam of ${band} px` : "";
  return badge(
    "good",
    "check",
    "Source kept exactly: 0 px changed",
    `Against ${against}${outside}.`,
  );
}

/** @param {number | null} score */
function seam(score) {
  if (score === null) return null;
  const seen = score > SEAM_VISIBLE;
  const words = `Seam ${score.toFixed(2)}, ${seen ? "may show" : "does not show"}`;
  const meaning = `The jump at the worst side; above ${SEAM_VISIBLE} it can be seen.`;
  return badge(seen ? "warn" : "plain", null, words, meaning);
}

/** @param {any} record */
function engine(record) {
  if (!record.engine || !record.fill) return null;
  if (record.fill !== "generate") return badge("plain", null, `Filled: ${record.fill}, no engine`);
  if (record.engine !== "preview") return badge("plain", null, `Painted by ${record.engine}`);
  return badge("plain", null, "Preview", PREVIEW);
}

/**
 * Warnings that all of several outputs have.
 * @param {any[]} outputs
 * @returns {string[]}
 */
export function sharedWarnings(outputs) {
  const [first, ...others] = outputs.map((output) => output.warnings ?? []);
  if (!others.length) return [];
  return first.filter((/** @type {string} */ words) =>
    others.every((each) => each.includes(words)),
  );
}

/**
 * What is told once for all outputs.
 * @param {any[]} outputs
 * @param {string[]} shared
 */
export function notes(outputs, shared) {
  const preview = outputs.some(
    ({ record }) => record?.engine === "preview" && record.fill === "generate",
  );
  const words = [...(preview ? [PREVIEW] : []), ...shared.map(capital)];
  return words.map((each) => element("p", {}, each));
}

/**
 * @param {string} kind
 * @param {string | null} sign
 * @param {string} words
 * @param {string} [title]
 * @returns {HTMLElement}
 */
function badge(kind, sign, words, title) {
  return element("p", { class: `badge ${kind}`, title }, sign && icon(sign), words);
}
