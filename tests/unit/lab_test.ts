import assert from "node:assert/strict";
import { aligned } from "../lab/list.ts";
import { parse } from "../lab/main.ts";
import { hardwareOf, hostsOf } from "../lab/network.ts";

Deno.test("parse() reads how many hosts, and what runs there", () => {
  assert.deepEqual(parse([]), { hosts: 3, command: [] });
  assert.deepEqual(parse(["5", "docker", "ps"]), { hosts: 5, command: ["docker", "ps"] });
  assert.deepEqual(parse(["bash"]), { hosts: 3, command: ["bash"] });
  for (const number of ["0", "7"]) assert.throws(() => parse([number]), /a number from 1 to 6 is needed\n {2}hint: /);
});

Deno.test("hostsOf() gives each host its name and its address", () => {
  assert.deepEqual(hostsOf(2), [{ name: "host1", address: "198.19.0.1" }, { name: "host2", address: "198.19.0.2" }]);
});

Deno.test("hardwareOf() makes a local address of its own for each", () => {
  assert.equal(hardwareOf("198.19.0.1"), "02:6d:70:69:00:01");
  assert.equal(hardwareOf("198.19.0.254"), "02:6d:70:69:00:fe");
});

Deno.test("aligned() sets columns below each other", () => {
  assert.equal(aligned([["NAME", "STATE"], ["host1", "up"]]), "NAME    STATE\nhost1   up");
});
