#!/bin/bash
# The first process of a simulated cluster: simulated.sh ROOT FOLDER WORKERS
#
# Each worker is an SSH server on an address of its own, in an image's file system ROOT: with its own processes, host name
# and /run/mpi, which is FOLDER/NAME. They share the network, and there are no containers. When FOLDER/go is there, the master's
# agent starts as another such node.
set -eu

root=$1 folder=$2 workers=$3

# node NAME COMMAND...: starts a node. Who kills the one child of the process that FOLDER/NAME/process names ends all of it.
node() {
  name=$1
  shift
  # shellcheck disable=SC2016 # the inner shell expands it
  unshare --mount --uts --pid --fork sh -c '
    root=$1 run=$2
    hostname "$3"
    shift 3
    mount -t proc proc "$root/proc"
    mount --bind "$run" "$root/run/mpi"
    exec setsid chroot --userspec=1000:1000 "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/project MPI_CLUSTER=sim "$@"
  ' sh "$root" "$folder/$name" "$name" "$@" </dev/null >>"$folder/$name/log" 2>&1 &
  echo $! >"$folder/$name/process"
}

ulimit -n "$(ulimit -H -n)"
mount --rbind /dev "$root/dev"
number=0
while [ "$number" -lt "$workers" ]; do
  number=$((number + 1))
  node "worker-$number" /usr/sbin/sshd -D -e -f /run/mpi/sshd_config
done
until [ -e "$folder/go" ]; do sleep 0.05; done
node master mpi_agent
wait
