/** What an SSH server can be asked to forward, asked of it. */
import ssh2 from "ssh2";
import type { SshTarget } from "../../stack/ssh/ssh.ts";

type Answered = (error: Error | null | undefined, ...rest: unknown[]) => void;

/** Asks for every kind of forwarding in turn; gives what the server says to each: the reason why not, or `granted`. */
export async function askToForward(target: SshTarget, elsewhere: string): Promise<Record<string, string>> {
  const client = new ssh2.Client();
  const { host, port, user: username, privateKey } = target;
  // The agent itself is never asked for: the session is refused before.
  const agent = "/nowhere";
  await new Promise<void>((resolve, reject) => {
    client.once("ready", () => resolve()).once("error", reject);
    client.connect({ host, port, username, privateKey, agent, agentForward: false, authHandler: ["publickey"] });
  });
  const requests: Record<string, (answered: Answered) => unknown> = {
    "a port of the master (ssh -L, -W)": (answered) => client.forwardOut("", 0, "127.0.0.1", 2222, answered),
    "a port of another node (ssh -D)": (answered) => client.forwardOut("", 0, elsewhere, 2222, answered),
    "a unix socket of the master (ssh -L)": (answered) =>
      client.openssh_forwardOutStreamLocal(`/run/mpi/mux/${elsewhere}`, answered),
    "a port back to the client (ssh -R)": (answered) => client.forwardIn("127.0.0.1", 0, answered),
    "a unix socket back to the client (ssh -R)": (answered) =>
      client.openssh_forwardInStreamLocal("/tmp/forwarded", answered),
    "the agent (ssh -A)": (answered) => client.exec("true", { agentForward: true } as ssh2.ExecOptions, answered),
    "a display (ssh -X)": (answered) => client.exec("true", { x11: true }, answered),
  };
  const answers: Record<string, string> = {};
  for (const [what, request] of Object.entries(requests)) {
    answers[what] = await new Promise<string>((resolve) => {
      request((error) => resolve(error ? error.message : "granted"));
    });
  }
  client.end();
  return answers;
}
