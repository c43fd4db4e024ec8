/**
 * How people reach an engine elsewhere: by SSH, and by TCP with TLS. The manager of a lab has both doors; keys and certificates
 * are made for each lab anew.
 */
import { must } from "../box/command.ts";
import type { Plugged } from "./network.ts";

/** What opens the doors of a host. */
export interface Doors {
  /** A folder as `DOCKER_CERT_PATH` names it: `ca.pem`, `cert.pem`, `key.pem`. */
  certificates: string;
  /** The same, made by an authority that the engine does not know. */
  strangers: string;
  /** A file of settings for `ssh -F`: key and host key. */
  ssh: string;
}

/** Where the keys of a host's doors are. */
export function doorsOf(folder: string): Doors {
  return { certificates: `${folder}/tls/client`, strangers: `${folder}/tls/stranger`, ssh: `${folder}/ssh/config` };
}

/** Makes keys and certificates, and writes down what `host.sh` starts the doors with. */
export async function writeDoors({ address, folder, env }: Plugged & { folder: string; env: Record<string, string> }) {
  await Promise.all([writeTls(folder, address), writeSsh(folder, address, env["DOCKER_HOST"] ?? "")]);
}

async function writeTls(folder: string, address: string): Promise<void> {
  const script = `
    set -eu
    authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$2" \\
      -keyout "$1-key.pem" -out "$1.pem" 2>/dev/null; }
    # certificate FOLDER NAME USAGE AUTHORITY
    certificate() {
      mkdir -p "$1"
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1/key.pem" \\
        -out "$1/request" 2>/dev/null
      printf 'subjectAltName=IP:%s\\nextendedKeyUsage=%s\\n' "$ADDRESS" "$3" >"$1/extensions"
      openssl x509 -req -in "$1/request" -CA "$4.pem" -CAkey "$4-key.pem" -CAcreateserial -days 30 \\
        -extfile "$1/extensions" -out "$1/cert.pem" 2>/dev/null
      cp authority.pem "$1/ca.pem"
    }
    mkdir -p tls && cd tls
    authority authority lab
    authority other other
    certificate server "$ADDRESS" serverAuth authority
    certificate client me clientAuth authority
    certificate stranger stranger clientAuth other`;
  await must(["sh", "-c", script], { cwd: folder, env: { ADDRESS: address } });
}

async function writeSsh(folder: string, address: string, dockerHost: string): Promise<void> {
  const at = `${folder}/ssh`;
  await Deno.mkdir(at);
  for (const name of ["host_key", "id"]) {
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${at}/${name}`]);
  }
  await Deno.copyFile(`${at}/id.pub`, `${at}/authorized_keys`);
  await Deno.writeTextFile(`${at}/known_hosts`, `${address} ${await Deno.readTextFile(`${at}/host_key.pub`)}`);
  await Deno.writeTextFile(
    `${at}/sshd_config`,
    `ListenAddress ${address}
HostKey ${at}/host_key
AuthorizedKeysFile ${at}/authorized_keys
PidFile none
StrictModes no
UsePAM no
AuthenticationMethods publickey
AllowUsers root nobody
SetEnv DOCKER_HOST=${dockerHost}
`,
  );
  await Deno.writeTextFile(
    `${at}/config`,
    `Host *
IdentityFile ${at}/id
IdentitiesOnly yes
UserKnownHostsFile ${at}/known_hosts
StrictHostKeyChecking yes
BatchMode yes
User root
Host head stranger
HostName ${address}
Host head
HostKeyAlias ${address}
Host stranger
HostKeyAlias stranger
`,
  );
}
