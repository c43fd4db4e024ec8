import assert from "node:assert/strict";
import { aligned } from "../lab/list.ts";
import { parseUp } from "../lab/main.ts";
import { hardwareOf, hostsOf } from "../lab/network.ts";

Deno.test("parseUp() reads how many hosts, and for how long", () => {
  assert.deepEqual(parseUp([]), { hosts: 3, hours: 2, another: false });
  assert.deepEqual(parseUp(["5", "--for", "30m", "--another"]), { hosts: 5, hours: 0.5, another: true });
  for (const word of ["0", "7", "-1", "three", "1.5", "", "--fro"]) {
    assert.throws(() => parseUp([word]), /a number of hosts from 1 to 6 is needed\n {2}hint: /);
  }
  assert.throws(() => parseUp(["--for"]), /such as 90m or 2h/);
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
