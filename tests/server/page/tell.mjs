// Prints what a module of the page makes of JSON on stdin, for tests in Python to judge.

import { text } from "node:stream/consumers";
import * as code from "../../../server/page/code.js";
import { planAt } from "../../../server/page/plan.js";
import { writeZip } from "../../../server/page/zip.js";

const { act, given } = JSON.parse(await text(process.stdin));
const bytes = (/** @type {string} */ words) => new TextEncoder().encode(words);
const acts = {
  plans: () => given.map(({ plan, spot }) => planAt(plan, spot)),
  zip: () => {
    const files = given.map(([name, data]) => ({ name, data: bytes(data) }));
    const parts = writeZip(files, new Date(2026, 10, 21, 14, 30, 8));
    return Buffer.concat(parts).toString("base64");
  },
  code: () => {
    const { base, input, pictures, withKey } = given;
    return {
      curl: code.asCurl(base, input, pictures, withKey),
      python: code.asPython(base, input, pictures, withKey),
      command: code.asCommand(input, pictures, "preview"),
    };
  },
};
console.log(JSON.stringify(acts[act]()));
