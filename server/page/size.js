// @ts-check
/** Sizes that can be asked for: exact ones, ratios with a tier, and presets. Pure. */

/**
 * @typedef {object} Size
 * @property {string} key the preset's id, or WIDTHxHEIGHT
 * @property {number} width px
 * @property {number} height px
 * @property {string} title
 * @property {string} platform empty where it is nobody's
 * @property {string | null} preset
 * @property {string | null} format the preset's own
 * @property {number | null} maxBytes the preset's own
 * @property {number[][]} keepClear in fractions of the output
 */

export const TIERS = Object.freeze({ "1K": 1024, "2K": 2048, "4K": 4096 });

const SHORTEST = 8;
const LONGEST = 16_383;
const WIDEST = 11;
const LARGEST = 50_000_000;

/** What is chosen when the page opens, as far as the server has it. */
export const FIRST = Object.freeze([
  "meta/square",
  "meta/portrait",
  "meta/story",
  "meta/link",
  "iab/medium-rectangle",
  "iab/leaderboard",
]);

/**
 * Reads `1080x1350`; throws an Error in words.
 * @param {string} text
 * @returns {Size}
 */
export function parseSize(text) {
  const found = /^\s*(\d{1,6})\s*[x×X*]\s*(\d{1,6})\s*$/.exec(text);
  if (!found) throw new Error(`“${text.trim()}” is not a size. Write it like 1080x1350.`);
  return exact(Number(found[1]), Number(found[2]), "Custom size");
}

/**
 * A ratio like 16:9 whose long side the tier gives; throws an Error in words.
 * @param {string} text
 * @param {keyof TIERS} tier
 * @returns {Size}
 */
export function parseRatio(text, tier) {
  const found = /^\s*(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  const ratio = found ? Number(found[1]) / Number(found[2]) : NaN;
  if (!found || !Number.isFinite(ratio) || ratio <= 0) {
    throw new Error(`“${text.trim()}” is not a ratio. Write it like 16:9.`);
  }
  const long = TIERS[tier];
  const [width, height] =
    ratio >= 1 ? [long, roundHalfEven(long / ratio)] : [roundHalfEven(long * ratio), long];
  return exact(width, height, `${found[1]}:${found[2]} at ${tier}`);
}

/**
 * What people type into one field: a size or a ratio.
 * @param {string} text
 * @param {keyof TIERS} tier
 */
export function parseWish(text, tier) {
  return /[:/]/.test(text) ? parseRatio(text, tier) : parseSize(text);
}

/**
 * A preset as the server lists it.
 * @param {any} preset
 * @returns {Size}
 */
export function fromPreset(preset) {
  return {
    key: preset.id,
    width: preset.width,
    height: preset.height,
    title: preset.title,
    platform: preset.platform,
    preset: preset.id,
    format: preset.format,
    maxBytes: preset.max_bytes,
    keepClear: preset.keep_clear ?? [],
  };
}

/** @param {Size} size */
export function pixels(size) {
  return `${size.width} × ${size.height}`;
}

/**
 * As the server numbers its targets: exact sizes first, then presets.
 * @param {Size[]} sizes
 */
export function inServerOrder(sizes) {
  return [...sizes.filter((size) => !size.preset), ...sizes.filter((size) => size.preset)];
}

/**
 * @param {number} width
 * @param {number} height
 * @param {string} title
 * @returns {Size}
 */
function exact(width, height, title) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (short < SHORTEST || long > LONGEST) {
    throw new Error(`Sides from ${SHORTEST} to ${LONGEST} px can be made.`);
  }
  if (long / short > WIDEST * (1 + 0.5 / short)) {
    throw new Error(`Ratios from ${WIDEST}:1 to 1:${WIDEST} can be made.`);
  }
  if (width * height > LARGEST) throw new Error("Up to 50 megapixels can be made.");
  const key = `${width}x${height}`;
  const nothing = { platform: "", preset: null, format: null, maxBytes: null, keepClear: [] };
  return { key, width, height, title, ...nothing };
}

/** As Python rounds. @param {number} value */
function roundHalfEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}
