/** What the launcher adds to an argument that ends in a carriage return: Deno cuts off a last one. */
const MARK = "\uf8ff";

/** The arguments as they were given, without the launcher's marks. */
export function givenArgs(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(new RegExp(`(\\r${MARK}*)${MARK}$`), "$1"));
}
