// @ts-check
/** A zip whose files are stored as they are: pictures are compressed already. Pure. */

const UTF8 = 0x0800;
const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  let value = number;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/**
 * The parts of the zip, in order, ready for a Blob; no two files share a name.
 * @param {{name: string, data: Uint8Array}[]} files
 * @param {Date} when
 * @returns {Uint8Array[]}
 */
export function writeZip(files, when) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const file of distinct(files)) {
    const name = new TextEncoder().encode(file.name);
    const known = describe(file.data, name, when);
    const head = record(0x04034b50, [20, 2], ...known, [0, 2]);
    parts.push(head, name, file.data);
    const central = [[20, 2], [20, 2], ...known, [0, 2], [0, 2], [0, 2], [0, 2], [0, 4]];
    directory.push(record(0x02014b50, ...central, [offset, 4]), name);
    offset += head.length + name.length + file.data.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = [
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [length, 4],
    [offset, 4],
    [0, 2],
  ];
  return [...parts, ...directory, record(0x06054b50, ...end)];
}

/**
 * The checksum that zips use.
 * @param {Uint8Array} data
 */
export function crc32(data) {
  let value = 0xffffffff;
  for (const byte of data) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * Flags, method, time, checksum, both lengths and the name's: the same in both places.
 * @param {Uint8Array} data
 * @param {Uint8Array} name
 * @param {Date} when
 * @returns {number[][]}
 */
function describe(data, name, when) {
  const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
  const day = ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate();
  const size = data.length;
  const start = [
    [UTF8, 2],
    [0, 2],
    [time, 2],
    [day, 2],
    [crc32(data), 4],
  ];
  return [...start, [size, 4], [size, 4], [name.length, 2]];
}

/**
 * @param {number} signature
 * @param {...number[]} fields value and length in bytes, little endian
 */
function record(signature, ...fields) {
  const bytes = [];
  for (const [value, length] of [[signature, 4], ...fields]) {
    for (let byte = 0; byte < length; byte += 1) bytes.push((value >>> (8 * byte)) & 255);
  }
  return Uint8Array.from(bytes);
}

/**
 * @param {{name: string, data: Uint8Array}[]} files
 */
function distinct(files) {
  const taken = new Set();
  return files.map((file) => {
    const dot = file.name.lastIndexOf(".");
    const [stem, end] = dot > 0 ? [file.name.slice(0, dot), file.name.slice(dot)] : [file.name, ""];
    let name = file.name;
    for (let number = 2; taken.has(name); number += 1) name = `${stem}-${number}${end}`;
    taken.add(name);
    return { name, data: file.data };
  });
}
