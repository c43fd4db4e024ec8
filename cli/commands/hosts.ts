import { followHosts, type Host, listHosts } from "../../stack/master/hosts.ts";
import { findCluster, onMaster } from "../cluster_context.ts";
import { type AnyCommand, Command } from "../command_line/command.ts";
import { clusterOption, filterOption, formatOption, quietOption, watchOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { filtered, type Filters } from "../output/filter.ts";
import { type Columns, type Format, renderList } from "../output/format.ts";

interface HostsOptions {
  cluster?: string | undefined;
  filter?: Filters | undefined;
  format: Format;
  quiet?: true | undefined;
  watch?: true | undefined;
}

interface Row {
  Name: string;
  Address: string;
  Slots: number;
  Host: string;
}

const COLUMNS: Columns<Row> = {
  NAME: (row) => row.Name,
  ADDRESS: (row) => row.Address,
  SLOTS: (row) => String(row.Slots),
  HOST: (row) => row.Host,
};

/** `docker mpi hosts`: the nodes that answer, which is what the launcher uses. */
export function hostsCommand(deps: Deps): AnyCommand {
  return new Command("hosts")
    .summary("List the nodes that answer")
    .description("List the nodes that answer: the hostfile that mpirun uses, the master first")
    .addOption(clusterOption())
    .addOption(filterOption())
    .addOption(formatOption())
    .addOption(quietOption("Only show names"))
    .addOption(watchOption())
    .action((options) => run(deps, options));
}

async function run(deps: Deps, { cluster, filter, format, quiet, watch }: HostsOptions): Promise<void> {
  const { stdout } = deps.io;
  const text = (hosts: Host[]) => render(hosts, { filter, format, quiet });
  const context = await findCluster(deps, cluster);
  await onMaster(deps, context, async (master) => {
    if (!watch) return await stdout.write(text(await listHosts(master, context.cluster.name)));
    let shown: string | undefined;
    await followHosts(master, context.cluster.name, undefined, async (hosts) => {
      const next = text(hosts);
      // What has changed may be left out by a filter.
      if (next === shown) return;
      await stdout.write(shown !== undefined && format === "table" && !quiet ? `\n${next}` : next);
      shown = next;
    });
  });
}

function render(hosts: readonly Host[], { filter, format, quiet }: HostsOptions): string {
  const all = hosts.map(({ name, address, slots, host }) => ({
    Name: name,
    Address: address,
    Slots: slots,
    Host: host,
  }));
  const rows = filtered(all, filter, COLUMNS);
  return quiet ? rows.map(({ Name }) => `${Name}\n`).join("") : renderList(rows, COLUMNS, format);
}
