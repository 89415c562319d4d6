/** Answers one line of JSON with one line of JSON, until its input ends. */

import { createInterface } from "node:readline";

import { answer, check } from "./query.vectors.js";

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify(asked.parse === undefined ? answer(asked) : check(asked)));
}
