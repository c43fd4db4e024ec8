import { type Cluster, isLive, listClusters, stackLabel, traitsOf } from "../../stack/cluster/cluster.ts";
import { requireManager } from "../../stack/cluster/manager.ts";
import type { Engine } from "../../stack/engine/swarm.ts";
import { openSwarm } from "../cluster_context.ts";
import { type AnyCommand, Command } from "../command_line/command.ts";
import { filterOption, formatOption, quietOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { filtered, type Filters } from "../output/filter.ts";
import { type Columns, type Format, renderList } from "../output/format.ts";

interface LsOptions {
  filter?: Filters | undefined;
  format: Format;
  quiet?: true | undefined;
}

interface Row {
  Name: string;
  Master: string;
  Workers: string;
  Slots: string;
  Port: string;
  Image: string;
  CreatedAt: string;
}

const COLUMNS: Columns<Row> = {
  NAME: (row) => row.Name,
  MASTER: (row) => row.Master,
  WORKERS: (row) => row.Workers,
  SLOTS: (row) => row.Slots,
  PORT: (row) => row.Port,
  IMAGE: (row) => row.Image,
};

/** `docker mpi ls`: the clusters of the swarm. */
export function lsCommand(deps: Deps): AnyCommand {
  return new Command("ls")
    .alias("list")
    .description("List the clusters of this swarm")
    .addOption(filterOption())
    .addOption(formatOption())
    .addOption(quietOption())
    .action((options) => run(deps, options));
}

async function run(deps: Deps, { filter, format, quiet }: LsOptions): Promise<void> {
  const { engine } = await openSwarm(deps);
  await requireManager(engine);
  const clusters = await listClusters(engine);
  const all = await Promise.all(clusters.map((cluster) => describe(engine, cluster)));
  const rows = filtered(all, filter, COLUMNS);
  await deps.io.stdout.write(
    quiet ? rows.map(({ Name }) => `${Name}\n`).join("") : renderList(rows, COLUMNS, format),
  );
}

async function describe(engine: Engine, { name, master, worker }: Cluster): Promise<Row> {
  const { slots, port, image } = traitsOf({ master, worker });
  const live = (await engine.tasks(stackLabel(name))).filter(isLive);
  const count = (id: string) => live.filter(({ serviceId, state }) => serviceId === id && state === "running").length;
  const wanted = live.filter(({ serviceId, desired }) => serviceId === worker.id && desired === "running").length;
  return {
    Name: name,
    Master: count(master.id) > 0 ? "running" : "down",
    Workers: `${count(worker.id)}/${worker.replicas ?? wanted}`,
    Slots: slots,
    Port: String(port),
    Image: image,
    CreatedAt: master.createdAt,
  };
}
