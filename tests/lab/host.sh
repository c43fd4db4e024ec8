#!/bin/sh
# What runs on a host of the lab: host.sh NAME FOLDER CGROUP ADDRESS PORT CLIENT
#
# Its engine, by a socket. And the engine again
# whenever that ends, as the service manager of a real host has it. All that an engine keeps below /run is gone with the
# host's power, as it would be.
set -eu

name=$1 folder=$2 cgroup=$3 address=$4 port=$5 client=$6

echo "$name" >/proc/sys/kernel/hostname
mount --bind "$folder/hosts" /etc/hosts
# A host with keys for them has two doors for those elsewhere: SSH, and TLS at a port of its address.
door=
if [ -d "$folder/ssh" ]; then
  mkdir -p /run/sshd
  /usr/sbin/sshd -f "$folder/ssh/sshd_config"
  door="--host=tcp://$address:$port --tlsverify --tlscacert=$folder/tls/server/ca.pem"
  door="$door --tlscert=$folder/tls/server/cert.pem --tlskey=$folder/tls/server/key.pem"
  # Who reaches the engine is master of the host: neither containers nor other hosts may.
  iptables -A INPUT -p tcp --dport "$port" ! -s "$client" -j DROP
fi
while :; do
  # shellcheck disable=SC2086 # several words
  dockerd --config-file="$folder/daemon.json" --data-root="$folder/data" --pidfile=/run/docker.pid \
    --cgroup-parent="/$cgroup" --host="unix://$folder/docker.sock" $door || true
  sleep 1
done
