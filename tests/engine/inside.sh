#!/bin/sh
# The first process inside the namespaces of a box: inside.sh FOLDER LIFELINE SECONDS COMMAND [ARGS…]
#
# It reads one line from its standard input, which says that the network is there, and starts the command. It ends with
# the command, when nobody holds the lifeline any more (who held it is done, or dead, however it died), or when
# the time is up. With it the kernel ends every process of the box and drops its mounts and interfaces.
set -eu

folder=$1 lifeline=$2 seconds=$3
shift 3

# fresh_sysfs: shows the network devices of this namespace under /sys, with the machine's control groups.
fresh_sysfs() {
  mkdir -p "$folder/cgroup"
  mount --rbind /sys/fs/cgroup "$folder/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$folder/cgroup" /sys/fs/cgroup
}

# own_resolver: a resolver on the machine's loopback can't be reached from here, the ones that it asks can.
own_resolver() {
  resolver=$(readlink -f /etc/resolv.conf)
  upstream=/run/systemd/resolve/resolv.conf
  if grep -q '^nameserver 127\.' "$resolver" && [ -e "$upstream" ]; then
    cp "$upstream" "$folder/resolv.conf"
  else
    cp "$resolver" "$folder/resolv.conf"
  fi
}

# own_run: an empty /run, so that nothing of the box stays on the machine's.
own_run() {
  mount -t tmpfs tmpfs /run
  case $resolver in
    /run/*)
      mkdir -p "${resolver%/*}"
      cp "$folder/resolv.conf" "$resolver"
      ;;
    *) mount --bind "$folder/resolv.conf" "$resolver" ;;
  esac
}

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
read -r _
fresh_sysfs
own_resolver
own_run
"$@" </dev/null &
main=$!
{
  timeout "$seconds" flock --exclusive "$lifeline" true || true
  kill -KILL "$main"
} &
wait "$main"
