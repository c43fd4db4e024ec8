import type { SwarmNode } from "../engine/swarm.ts";
import type { Rule } from "./rules.ts";
import { overlap } from "./subnet.ts";

/** What can be asked of a Docker host, and how its value may look: Docker's own rules. */
const CONSTRAINT =
  /^((?:node\.(?:id|hostname|ip|role|platform\.os|platform\.arch)|(?:node|engine)\.labels\.[\w.-]+))\s*([=!]=)\s*([\w:.\-\s*()?+[\]\\^$|/]+)$/i;

/** A longer text was hardly meant as constraints, and would only fill the screen. */
const MAX_SUGGESTED = 200;

/**
 * Reads constraints on Docker hosts, with commas between them, as `docker service create --constraint` takes each.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseConstraints } from "./constraint.ts";
 *
 * assert.deepEqual(parseConstraints("node.role==worker, node.labels.rack != 7"), [
 *   "node.role == worker",
 *   "node.labels.rack != 7",
 * ]);
 * assert.equal(parseConstraints("host1"), undefined);
 * ```
 *
 * @returns One text for each; nothing if one of them is wrong.
 */
export function parseConstraints(text: string): string[] | undefined {
  const found = text.split(",").map((part) => CONSTRAINT.exec(part.trim()));
  return found.every((match) => match !== null)
    ? found.map(([, key = "", operator, value]) => `${canonical(key)} ${operator} ${value}`)
    : undefined;
}

/** To the swarm, letters of either case are the same in a key, but not in a label's name. */
function canonical(key: string): string {
  const [prefix = key] = /^(?:node|engine)\.labels\./i.exec(key) ?? [];
  return prefix.toLowerCase() + key.slice(prefix.length);
}

/**
 * Makes constraints out of what was probably meant: `host1`, `rack=7`, `node.role=worker`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { suggestConstraints } from "./constraint.ts";
 *
 * assert.equal(suggestConstraints("host1"), "node.hostname == host1");
 * assert.equal(suggestConstraints("rack=7, role!=manager"), "node.labels.rack == 7, node.role != manager");
 * assert.equal(suggestConstraints("the fast ones"), undefined);
 * ```
 *
 * @param text What was written.
 * @returns Constraints with commas in between; nothing if the text makes none, or has more than 200 characters.
 */
export function suggestConstraints(text: string): string | undefined {
  if (text.length > MAX_SUGGESTED) return undefined;
  const meant = text.split(",").map((part) => {
    const [, key, operator = "==", value] = /^\s*([\w.-]+?)(?:\s*([=!]?=)\s*(\S.*?))?\s*$/.exec(part) ?? [];
    if (key === undefined) return part;
    if (value === undefined) return `node.hostname == ${key}`;
    const attribute = /^(node|engine)\./i.test(key)
      ? key
      : /^(id|hostname|ip|role|platform\.\w+|labels\..+)$/i.test(key)
      ? `node.${key}`
      : /^(os|arch)$/i.test(key)
      ? `node.platform.${key}`
      : `node.labels.${key}`;
    return `${attribute} ${operator === "!=" ? "!=" : "=="} ${value}`;
  }).join(", ");
  return parseConstraints(meant)?.join(", ");
}

/** One constraint, roughly, as the schema has it; there, no flag lets letters be of either case. */
const ONE = "\\s*([nN][oO][dD][eE]|[eE][nN][gG][iI][nN][eE])\\.[^,]+[!=]=[^,]+";

/** Constraints as a setting: one text, with commas in between. */
export const CONSTRAINTS: Rule<string> = {
  types: ["string"],
  want: 'constraints such as "node.role == worker, node.labels.rack == 7"',
  parse: (text) => parseConstraints(text)?.join(", "),
  schema: { type: "string", pattern: `^${ONE}(,${ONE})*$` },
  suggest: suggestConstraints,
};

/**
 * Tells whether a Docker host meets a constraint, as the swarm sees it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { meets } from "./constraint.ts";
 *
 * const attributes = { "node.hostname": "a", "node.ip": "10.0.0.1", "node.labels.rack": "7" };
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes };
 * assert.ok(meets(host, "node.labels.rack == 7"));
 * assert.ok(meets(host, "node.ip == 10.0.0.0/24"));
 * assert.ok(meets(host, "node.labels.gpu != yes"));
 * assert.ok(!meets(host, "node.labels.gpu == yes"));
 * ```
 *
 * @param node The host.
 * @param constraint As `deploy.placement.constraints` has it; one that says nothing to us allows every host.
 */
export function meets({ attributes }: SwarmNode, constraint: string): boolean {
  const [, said = "", operator, wanted = ""] = /^\s*([\w.-]+)\s*(==|!=)\s*(.*?)\s*$/.exec(constraint) ?? [];
  const key = canonical(said);
  if (!/^(node|engine)\./.test(key)) return true;
  const actual = attributes[key] ?? "";
  const same = actual.toLowerCase() === wanted.toLowerCase() || (key === "node.ip" && overlap(wanted, `${actual}/32`));
  return same === (operator === "==");
}
