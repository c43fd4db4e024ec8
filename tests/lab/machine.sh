#!/bin/sh
# The first process of a machine of the lab: machine.sh FOLDER COMMAND [ARGS…]
#
# It reads one line from its standard input, which says that the cable is in, and starts the command. With its end the kernel
# ends every process of the machine, and drops its mounts and interfaces.
set -eu
folder=$1
shift

# lay_mounts: a /sys that shows the network of this machine, with the control groups, which a fresh one would hide; and a /run
# of its own.
lay_mounts() {
  mkdir -p "$folder/cgroup"
  mount --rbind /sys/fs/cgroup "$folder/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$folder/cgroup" /sys/fs/cgroup
  cp /etc/resolv.conf "$folder/resolv.conf"
  resolver=$(readlink -m /etc/resolv.conf)
  mount -t tmpfs tmpfs /run
  mkdir -p "${resolver%/*}"
  [ -e "$resolver" ] || : >"$resolver"
  mount --bind "$folder/resolv.conf" "$resolver"
}

read -r _
lay_mounts
"$@" </dev/null &
wait $!
