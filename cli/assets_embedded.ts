import type { EmbeddedAsset } from "./assets.ts";

/** Nothing in the checkout; `cli/plugin/build.ts` puts the files of `images/` and `examples/` in its place. */
export const embedded: readonly EmbeddedAsset[] | undefined = undefined;
