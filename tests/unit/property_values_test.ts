/** Laws of small functions, for any input. */
import assert from "node:assert/strict";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import fc from "fast-check";
import { duration, integer, keyValue } from "../../cli/command_line/flags.ts";
import { linesOf } from "../../cli/output/lines.ts";
import { displayWidth, renderTable } from "../../cli/output/table.ts";
import type { Json, JsonObject } from "../../stack/json.ts";
import { clusterNameFrom, isClusterName, isImageReference } from "../../stack/names.ts";
import { mergeStack } from "../../stack/settings/merge.ts";
import { formatSize, parseSize } from "../../stack/settings/size.ts";
import { overlap, parseSubnet } from "../../stack/settings/subnet.ts";
import { closest } from "../../stack/suggest.ts";
import { brief, quote, visible } from "../../stack/text.ts";
import { property } from "../support/property.ts";
import { anyText, said } from "../support/settings_texts.ts";

property("any directory makes a cluster's name, and a name makes itself", 2000, anyText, (text) => {
  const name = clusterNameFrom(text);
  assert.ok(isClusterName(name), name);
  assert.equal(clusterNameFrom(`/home/ada/${name}`), name);
  if (isClusterName(text)) assert.equal(name, text);
});

property(
  "an image reference has no character that a stack file or a shell gives a meaning",
  2000,
  fc.tuple(said, anyText),
  (
    [{ image = "a" }, text],
  ) => {
    assert.ok(isImageReference(image), image);
    if (isImageReference(text)) assert.match(text, /^[\w./:@[\]+-]+$/);
  },
);

property("what is shown has nothing that can't be seen, and is short", 2000, anyText, (text) => {
  for (const shown of [visible(text), brief(text), quote(text)]) assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u);
  assert.equal(visible(visible(text)), visible(text));
  assert.ok(quote(text).length <= 1 + 60 * 9 + 1 && brief(text, 20).length <= 20 * 9);
  if (/^[\x20-\x7e]{0,60}$/.test(text)) assert.deepEqual([brief(text), JSON.parse(quote(text))], [text, text]);
});

property(
  "a size is read as it was written",
  2000,
  fc.tuple(fc.nat(2 ** 31 - 1), fc.nat(20), anyText),
  ([base, power, text]) => {
    const bytes = base * 2 ** power;
    assert.match(formatSize(bytes), /^\d+[bkmgt]$/);
    assert.equal(parseSize(formatSize(bytes)), bytes);
    const any = parseSize(text) ?? 0;
    assert.ok(Number.isSafeInteger(any) && any >= 0, text);
  },
);

const part = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("ms", "s", "m"));

property(
  "a duration is the sum of its parts, and anything else is refused",
  2000,
  fc.tuple(fc.array(part, { minLength: 1, maxLength: 4 }), anyText),
  ([parts, text]) => {
    const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };
    const sum = parts.reduce((sum, [number, unit]) => sum + number * units[unit]!, 0);
    assert.equal(duration(parts.flat().join("")), sum);
    for (const parse of [duration, integer()]) {
      try {
        const value = parse(text);
        assert.ok(Number.isSafeInteger(value) && value > 0 && value < 2 ** 31, text);
      } catch (error) {
        assert.ok(error instanceof InvalidArgumentError, String(error));
      }
    }
  },
);

property(
  "variables are kept as they were given, the last of a name",
  1000,
  fc.array(fc.tuple(anyText, anyText)),
  (pairs) => {
    const right = pairs.map(([key, value]) => [key.replaceAll("=", "") || "A", value] as const);
    const kept = right.reduce((kept, [key, value]) => keyValue(`${key}=${value}`, kept), {} as Record<string, string>);
    assert.deepEqual(new Map(Object.entries(kept)), new Map(right));
  },
);

const network = fc.tuple(
  fc.integer({ min: 1, max: 126 }),
  fc.nat(255),
  fc.nat(255),
  fc.nat(255),
  fc.integer({ min: 8, max: 32 }),
)
  .map(([a, b, c, d, prefix]) => ({
    text: `${a}.${b}.${c}.${d}/${prefix}`,
    address: ((a * 256 + b) * 256 + c) * 256 + d,
    prefix,
  }));

property(
  "networks overlap where they share an address",
  2000,
  fc.tuple(network, network, fc.boolean()),
  ([one, other, isNear]) => {
    const near = isNear
      ? { ...other, text: one.text.replace(/\/.*/, `/${other.prefix}`), address: one.address }
      : other;
    const range = ({ address, prefix }: typeof one) => {
      const size = 2 ** (32 - prefix);
      return [address - address % size, address - address % size + size - 1] as const;
    };
    const [[a, b], [c, d]] = [range(one), range(near)];
    assert.equal(overlap(one.text, near.text), a <= d && c <= b);
    assert.equal(overlap(near.text, one.text), a <= d && c <= b);
    const cidr = parseSubnet(one.text)!.cidr;
    assert.equal(parseSubnet(cidr)?.cidr, cidr);
  },
);

property(
  "a word with one slip in it is still known",
  1000,
  fc.tuple(fc.constantFrom("workers", "image", "network", "shm"), fc.nat(), fc.nat(3), anyText),
  ([word, where, kind, text]) => {
    const at = where % word.length;
    const [before, letter, after] = [word.slice(0, at), word.charAt(at), word.slice(at + 1)];
    const slip = [
      before + after,
      `${before}x${letter}${after}`,
      `${before}x${after}`,
      `${before}${after.charAt(0)}${letter}${after.slice(1)}`,
    ];
    assert.equal(closest(slip[kind]!, [word]), word);
    const found = closest(text, [word, "other"]);
    assert.ok(found === undefined || [word, "other"].includes(found));
  },
);

const plain: fc.Arbitrary<Json> = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    fc.uniqueArray(
      fc.oneof(
        fc.string(),
        fc.record({ target: fc.constantFrom("/a", "/b"), size: fc.nat(3) }, { noNullPrototype: true }),
      ),
      {
        maxLength: 3,
        selector: (item) => typeof item === "string" ? item : item.target,
      },
    ),
    fc.dictionary(fc.constantFrom("a", "b", "command", "environment", "__proto__"), tie("any"), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).any;
const mapping = fc.dictionary(fc.constantFrom("services", "x-a", "a"), plain, {
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

property(
  "laying a fragment over a file twice is laying it once, and neither is changed",
  2000,
  fc.tuple(mapping, mapping),
  ([base, over]) => {
    const before = structuredClone([base, over]);
    const once = mergeStack(base, over);
    assert.deepEqual(mergeStack(once, over), once);
    assert.deepEqual(mergeStack(base, {}), base);
    assert.deepEqual(mergeStack({}, over), over);
    assert.deepEqual(mergeStack(base, base), base);
    assert.deepEqual([base, over], before);
    for (const [key, value] of Object.entries(over)) if (typeof value !== "object") assert.equal(once[key], value);
  },
);

property(
  "a table has a line for each row, and its columns stand below each other",
  1000,
  fc.array(fc.tuple(anyText, anyText), { maxLength: 5 }),
  (rows) => {
    const lines = renderTable(["A", "B"], rows.map((row) => [...row])).split("\n");
    assert.equal(lines.pop(), "");
    assert.equal(lines.length, 1 + rows.length);
    const width = Math.max(1, ...rows.map(([cell]) => displayWidth(visible(cell))));
    for (const [index, [first, second]] of rows.entries()) {
      const blanks = " ".repeat(width - displayWidth(visible(first)) + 3);
      assert.equal(lines[index + 1], `${visible(first)}${blanks}${visible(second)}`.trimEnd());
    }
  },
);

property(
  "lines are the same wherever a stream is cut",
  1000,
  fc.tuple(anyText, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })),
  async ([text, sizes]) => {
    const bytes = new TextEncoder().encode(text);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0, turn = 0; at < bytes.length;) chunks.push(bytes.slice(at, at += sizes[turn++ % sizes.length]!));
    const expected = text.toWellFormed().split("\n").map((line) => line.replace(/\r$/, ""));
    if (text === "" || text.endsWith("\n")) expected.pop();
    assert.deepEqual(await Array.fromAsync(linesOf(ReadableStream.from(chunks))), expected);
  },
);
