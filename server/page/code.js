// @ts-check
/** A request as code that can be copied: curl, Python and the command line. Pure. */

/** @typedef {{name: string, url: string | null}} Named */

/**
 * @param {string} base the server's address
 * @param {Record<string, any>} input
 * @param {Named[]} pictures
 * @param {boolean} withKey
 */
export function asCurl(base, input, pictures, withKey) {
  const lines = [`curl --fail-with-body --silent --show-error ${quote(address(base))}`];
  if (withKey) lines.push('  -H "Authorization: Bearer $KEY"');
  lines.push('  -H "Prefer: wait=60"');
  const files = pictures.filter((picture) => picture.url === null);
  if (files.length) {
    for (const { name } of files) lines.push(`  -F ${quote(`image=@"${escapeName(name)}"`)}`);
    lines.push(`  --form-string ${quote(`input=${JSON.stringify(input)}`)}`);
  } else {
    lines.push('  -H "Content-Type: application/json"');
    lines.push(`  --data-raw ${quote(JSON.stringify({ input }))}`);
  }
  return `${lines.join(" \\\n")}\n`;
}

/**
 * @param {string} base
 * @param {Record<string, any>} input
 * @param {Named[]} pictures
 * @param {boolean} withKey
 */
export function asPython(base, input, pictures, withKey) {
  const files = pictures.filter((picture) => picture.url === null);
  const body = files.length
    ? [
        `    files=[("image", open(name, "rb")) for name in ${python(files.map((f) => f.name))}],`,
        `    data={"input": json.dumps(${python(input, 4)})},`,
      ]
    : [`    json={"input": ${python(input, 4)}},`];
  const key = withKey ? '"Authorization": "Bearer " + os.environ["KEY"], ' : "";
  return [
    ...(files.length ? ["import json"] : []),
    ...(withKey ? ["import os"] : []),
    ...(files.length || withKey ? [""] : []),
    "import httpx2",
    "",
    "run = httpx2.post(",
    `    ${JSON.stringify(address(base))},`,
    `    headers={${key}"Prefer": "wait=60"},`,
    ...body,
    "    timeout=90,",
    ").raise_for_status().json()",
    'for output in run["output"]["outputs"]:',
    '    with open(output["file_name"], "wb") as file:',
    '        file.write(httpx2.get(output["url"]).content)',
    "",
  ].join("\n");
}

/** Options of the command line whose names are not simply the input's with dashes. */
const OPTIONS = Object.freeze({
  target_sizes: "size",
  presets: "preset",
  output_format: "format",
  protect_kinds: "protect-kind",
  extras: "extra",
});
const BOXES = ["protect", "keep_clear"];
const JOINED = ["target_sizes", "presets"];
const SWITCHES = ["xmp", "c2pa"];
const SERVERS_OWN = ["image_url", "image_urls", "variants", "store", "plan"];

/**
 * The same on this machine, without a server. Variants are not known there; a picture at an
 * address is fetched first; `engine` is who made it.
 * @param {Record<string, any>} input
 * @param {Named[]} pictures
 * @param {string} engine
 */
export function asCommand(input, pictures, engine) {
  const fetched = pictures.filter((picture) => picture.url !== null).map(asFetch);
  const words = ["smart-resize run", ...pictures.map(({ name }) => quote(safeName(name)))];
  if (input.plan) words.push("--plan plan.json");
  for (const [name, value] of Object.entries(input)) {
    if (!SERVERS_OWN.includes(name)) words.push(...option(name, value));
  }
  words.push(`--engine ${quote(engine)}`, "-o sizes/");
  const command = `${fetched.join("")}${wrap(words)}\n`;
  if (!input.plan) return command;
  return `cat > plan.json <<'END'\n${JSON.stringify(input.plan)}\nEND\n${command}`;
}

/** @param {Named} picture */
function asFetch({ name, url }) {
  const curl = "curl --fail --location --silent --show-error";
  return `${curl} --output ${quote(safeName(name))} ${quote(String(url))}\n`;
}

/**
 * @param {string} name
 * @param {any} value
 * @returns {string[]}
 */
function option(name, value) {
  const flag = `--${OPTIONS[/** @type {keyof OPTIONS} */ (name)] ?? name.replaceAll("_", "-")}`;
  if (value === null) return [];
  if (SWITCHES.includes(name)) return [value ? flag : flag.replace("--", "--no-")];
  if (typeof value === "boolean") return value ? [flag] : [];
  if (BOXES.includes(name)) {
    return value.map((/** @type {number[]} */ box) => `${flag} ${box.join(",")}`);
  }
  if (JOINED.includes(name)) return [`${flag} ${quote(value.join(","))}`];
  if (Array.isArray(value)) return value.map((each) => `${flag} ${quote(String(each))}`);
  return [`${flag} ${quote(String(value))}`];
}

/** A file that begins with a dash is no option. @param {string} name */
function safeName(name) {
  return name.startsWith("-") ? `./${name}` : name;
}

/**
 * For a POSIX shell.
 * @param {string} text
 */
export function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** As curl wants file names in quotes. @param {string} name */
function escapeName(name) {
  return name.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

/** @param {string} base */
function address(base) {
  return `${base.replace(/\/$/, "")}/v1/models/local/smart-resize/runs`;
}

/** @param {string[]} words */
function wrap(words) {
  const lines = [words[0]];
  for (const word of words.slice(1)) {
    if (lines[lines.length - 1].length + word.length > 88) lines.push(`  ${word}`);
    else lines[lines.length - 1] += ` ${word}`;
  }
  return lines.join(" \\\n");
}

/**
 * A JSON value as Python writes it.
 * @param {any} value
 * @param {number} [indent]
 * @returns {string}
 */
function python(value, indent) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map((each) => python(each)).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, each]) => `"${name}": ${python(each)}`);
  if (indent === undefined) return `{${fields.join(", ")}}`;
  const pad = " ".repeat(indent);
  return `{\n${fields.map((field) => `${pad}    ${field},\n`).join("")}${pad}}`;
}
