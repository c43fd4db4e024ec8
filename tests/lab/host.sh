#!/bin/sh
# What runs on a host of the lab: host.sh NAME FOLDER ADDRESS PORT CLIENT DOCKERD [ARGS…]
#
# Its engine, again whenever that ends, as the service manager of a real host has it. All that an engine keeps below /run is
# gone with the host's power, as it would be.
set -eu
name=$1 folder=$2 address=$3 port=$4 client=$5
shift 5

echo "$name" >/proc/sys/kernel/hostname
mount --bind "$folder/hosts" /etc/hosts
# A host with keys for them has two doors for those elsewhere: SSH, and TLS at a port of its address.
if [ -d "$folder/ssh" ]; then
  mkdir -p /run/sshd
  /usr/sbin/sshd -f "$folder/ssh/sshd_config"
  set -- "$@" "--host=tcp://$address:$port" --tlsverify "--tlscacert=$folder/tls/server/ca.pem" \
    "--tlscert=$folder/tls/server/cert.pem" "--tlskey=$folder/tls/server/key.pem"
  # Who reaches the engine is master of the host: neither containers nor other hosts may.
  iptables -A INPUT -p tcp --dport "$port" ! -s "$client" -j DROP
fi
while :; do
  "$@" --config-file="$folder/daemon.json" --pidfile=/run/docker.pid || true
  sleep 1
done
