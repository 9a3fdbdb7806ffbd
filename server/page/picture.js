// @ts-check
/** A picture that was given: a file of the browser's, or an address that the server fetches. */

/**
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} name
 * @property {File | null} file
 * @property {string | null} url
 * @property {string | null} preview address of a small copy to draw with
 * @property {[number, number] | null} size upright, px; null where the browser cannot tell
 */

/** Long side of the copy that is drawn with, px. */
const PREVIEW = 1600;

let count = 0;

/**
 * @param {File} file
 * @returns {Promise<Picture>}
 */
export async function fromFile(file) {
  const known = { id: nextId(), name: file.name || "pasted.png", file, url: null };
  try {
    return { ...known, ...(await readCopy(file)) };
  } catch {
    return { ...known, preview: null, size: null }; // the server may read what a browser cannot
  }
}

/**
 * A small copy to draw with, upright; throws where the browser cannot read the picture.
 * @param {Blob} data
 * @returns {Promise<{preview: string, size: [number, number]}>}
 */
export async function readCopy(data) {
  const bitmap = await createImageBitmap(data, { imageOrientation: "from-image" });
  const size = /** @type {[number, number]} */ ([bitmap.width, bitmap.height]);
  return { preview: URL.createObjectURL(await shrink(bitmap)), size };
}

/**
 * Throws an Error in words.
 * @param {string} text
 * @returns {Picture}
 */
export function fromAddress(text) {
  let address;
  try {
    address = new URL(text.trim());
  } catch {
    throw new Error("That is not an address. It begins with https://");
  }
  if (!["https:", "http:"].includes(address.protocol)) {
    throw new Error("The server fetches https addresses only.");
  }
  const name = plain(address.pathname.split("/").pop() || "") || address.hostname;
  return { id: nextId(), name, file: null, url: address.href, preview: null, size: null };
}

/** The end of an address as the name of a file, which is in no folder. @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text).replace(/[/\\]/g, "-").replace(/^\.+/, "");
  } catch {
    return text; // its percent signs mean nothing
  }
}

/**
 * What of a drop or a paste may be a picture.
 * @param {DataTransfer | null} given
 */
export function filesOf(given) {
  const ends = /\.(jpe?g|png|webp|avif|gif|tiff?|heic|heif)$/i;
  return [...(given?.files ?? [])].filter(
    (file) => file.type.startsWith("image/") || ends.test(file.name),
  );
}

/** @param {Picture} picture */
export function forget(picture) {
  if (picture.preview) URL.revokeObjectURL(picture.preview);
}

/**
 * @param {ImageBitmap} bitmap
 * @returns {Promise<Blob>}
 */
async function shrink(bitmap) {
  const share = Math.min(1, PREVIEW / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * share));
  canvas.height = Math.max(1, Math.round(bitmap.height * share));
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve, reject) => {
    const done = (/** @type {Blob | null} */ blob) =>
      blob ? resolve(blob) : reject(new Error("no copy"));
    canvas.toBlob(done, "image/webp", 0.9);
  });
}

function nextId() {
  count += 1;
  return `picture-${count}`;
}
