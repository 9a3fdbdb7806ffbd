// @ts-check
/** What is asked of the server: as few runs as all wishes allow. Pure. */

import { inServerOrder } from "./size.js";

/** @typedef {import("./size.js").Size} Size */

/**
 * @typedef {object} Source
 * @property {string} id
 * @property {string} name
 * @property {string | null} url an address that the server fetches; null for a file of ours
 * @property {number[][]} protect boxes in fractions of the source
 */

/**
 * @typedef {object} Request
 * @property {string[]} pictures ids, in the order of the run's sources
 * @property {Size[]} sizes in the order of the run's targets
 * @property {Record<string, any>} input
 * @property {string[]} files ids of the pictures that come along as files
 */

/**
 * One run for all pictures and sizes; a picture with boxes or plans of its own has its own run,
 * and each plan made by hand another.
 * @param {Source[]} pictures
 * @param {Size[]} sizes
 * @param {Record<string, any>} options fields of the input that differ from the default
 * @param {Record<string, any>} edits plans made by hand, by `editKey`
 * @returns {Request[]}
 */
export function makeRequests(pictures, sizes, options, edits) {
  const requests = [];
  for (const group of groupAlike(pictures, sizes, edits)) {
    const byHand = sizes.filter((size) => edits[editKey(group[0].id, size.key)]);
    const automatic = sizes.filter((size) => !byHand.includes(size));
    if (automatic.length) requests.push(forSizes(group, automatic, options));
    for (const size of byHand) {
      requests.push(forPlan(group[0], size, options, edits[editKey(group[0].id, size.key)]));
    }
  }
  return requests;
}

/**
 * @param {string} picture
 * @param {string} size
 */
export function editKey(picture, size) {
  return `${picture} ${size}`;
}

/**
 * The input of a run, and of a request for plans, without its pictures.
 * @param {Size[]} sizes
 * @param {Record<string, any>} options
 * @param {number[][]} protect
 */
export function makeInput(sizes, options, protect) {
  const exact = sizes.filter((size) => !size.preset).map((size) => `${size.width}x${size.height}`);
  const presets = sizes.flatMap((size) => (size.preset ? [size.preset] : []));
  return {
    ...(exact.length ? { target_sizes: exact } : {}),
    ...(presets.length ? { presets } : {}),
    ...(protect.length ? { protect } : {}),
    ...options,
  };
}

/**
 * @param {Source[]} group
 * @param {Size[]} sizes
 * @param {Record<string, any>} options
 * @returns {Request}
 */
function forSizes(group, sizes, options) {
  const ordered = inServerOrder(sizes);
  return withSources(group, ordered, makeInput(ordered, options, group[0].protect));
}

/**
 * What a plan knows itself is not said again; what its preset wants of the file is, and what is
 * protected, so that the record tells where the plan cuts it.
 * @param {Source} picture
 * @param {Size} size
 * @param {Record<string, any>} options
 * @param {any} plan
 * @returns {Request}
 */
function forPlan(picture, size, options, plan) {
  const preset = {
    ...(size.format ? { output_format: size.format } : {}),
    ...(size.maxBytes ? { max_bytes: size.maxBytes } : {}),
  };
  const painting = Object.fromEntries(
    Object.entries(options).filter(([name]) => !DECIDED.includes(name)),
  );
  const protect = picture.protect.length ? { protect: picture.protect } : {};
  return withSources([picture], [size], { plan, ...protect, ...preset, ...painting });
}

/** Wishes about geometry: a plan has decided them. */
const DECIDED = ["policy", "max_crop", "anchor", "prefer", "copy_space", "feather", "strict"];

/**
 * The server numbers addresses before files.
 * @param {Source[]} group
 * @param {Size[]} sizes
 * @param {Record<string, any>} input
 * @returns {Request}
 */
function withSources(group, sizes, input) {
  const fetched = group.filter((picture) => picture.url !== null);
  const files = group.filter((picture) => picture.url === null);
  const addresses = fetched.map((picture) => picture.url);
  const named =
    addresses.length === 1
      ? { image_url: addresses[0] }
      : addresses.length
        ? { image_urls: addresses }
        : {};
  return {
    pictures: [...fetched, ...files].map((picture) => picture.id),
    sizes,
    input: { ...named, ...input },
    files: files.map((picture) => picture.id),
  };
}

/**
 * @param {Source[]} pictures
 * @param {Size[]} sizes
 * @param {Record<string, any>} edits
 */
function groupAlike(pictures, sizes, edits) {
  /** @type {Map<string, Source[]>} */
  const groups = new Map();
  for (const picture of pictures) {
    const own = sizes.some((size) => edits[editKey(picture.id, size.key)]);
    const alike = own ? picture.id : JSON.stringify(picture.protect);
    groups.set(alike, [...(groups.get(alike) ?? []), picture]);
  }
  return [...groups.values()];
}
