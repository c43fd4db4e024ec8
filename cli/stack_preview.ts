import { previewStack } from "../stack/deploy/deploy.ts";
import type { DeploymentPlan } from "../stack/deploy/deployment.ts";
import { formatStack } from "../stack/stackfile/stack_file.ts";
import { VERSION } from "./docker/metadata.ts";

/**
 * What `config` and `deploy --dry-run` show: the stack file that a deployment would send, and changes nothing.
 *
 * @param plan What would be deployed.
 * @param format For people, with the reason of each line, or for programs.
 * @throws {MpiError} With what would be in the way of the deployment.
 */
export async function stackPreview(plan: DeploymentPlan, format: "table" | "json" = "table"): Promise<string> {
  const { engine, settings: { image, name } } = plan;
  const preview = await previewStack(plan, await engine.image(image));
  if (format === "json") return formatStack(preview.stack);
  const { explainStack } = await import("../stack/stackfile/explain.ts");
  return explainStack(preview, name, VERSION);
}
