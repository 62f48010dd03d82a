import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf } from "../src/explorer/exports.tsx";
import { routeOf, to } from "../src/explorer/route.ts";

test("an address leads to its view, and words to the search", () => {
  assert.equal(routeOf("").view, "home");
  assert.equal(routeOf("?q=money").view, "search");
  assert.equal(routeOf("?q=+").view, "home");
  assert.equal(routeOf("?view=nonesuch").view, "home");
  const { view, values } = routeOf("?view=question&name=x&item=a&item=b");
  assert.equal(view, "question");
  assert.deepEqual(values.getAll("item"), ["a", "b"]);
});

test("the address of a view leads back to it, whatever is in its values", () => {
  const address = to("connect", { from: "agent:cosla", to: "Tea & cake?", basis: "", limit: undefined, many: ["a", "b"] });
  const { view, values } = routeOf(address.slice(1));
  assert.equal(view, "connect");
  assert.equal(values.get("to"), "Tea & cake?");
  assert.deepEqual(values.getAll("many"), ["a", "b"]);
  assert.equal(values.has("basis"), false);
});

test("CSV quotes what needs it", () => {
  assert.equal(csvOf([["a", 'b "c", d'], ["line\nbreak", ""]]), 'a,"b ""c"", d"\r\n"line\nbreak",\r\n');
});
