// @ts-check
/** All pictures of a submission as one zip, written in the browser. */

import { writeZip } from "./zip.js";

/**
 * @param {any} api
 * @param {any[]} outputs
 */
export async function downloadAll(api, outputs) {
  const files = [];
  for (const output of outputs) {
    const blob = await api.picture(output.url);
    files.push({ name: output.file_name, data: new Uint8Array(await blob.arrayBuffer()) });
  }
  const parts = /** @type {BlobPart[]} */ (writeZip(files, new Date()));
  save(new Blob(parts, { type: "application/zip" }), "sizes.zip");
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
