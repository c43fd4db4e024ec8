#!/bin/sh
# docker-mpi, a plugin of Docker's command line
# To sh this file is the script below; to Deno it is a JavaScript program, and the script a comment in it.

# Docker asks for this at every `docker --help`, and before each use.
if [ "${1-}" = docker-cli-plugin-metadata ]; then
  printf '%s\n' '@METADATA@'
  exit 0
fi

# What `deno task install` found; any other Deno will do where that one has gone.
deno='@DENO@'
if [ ! -x "$deno" ]; then
  deno=$(command -v deno) || {
    echo 'docker mpi: Cannot find Deno, which runs this plugin' >&2
    echo 'hint: install it from https://deno.com, or install the plugin again' >&2
    exit 1
  }
fi

# What we start. A comma would end an entry of the list: with one in docker's name all have to be allowed.
docker=${DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND:-docker}
# To complete a command line, Docker starts us as if by ourselves.
case $docker in *[/]docker-mpi) docker=docker ;; esac
case $docker in
  *,*) run=--allow-run ;;
  *) run=--allow-run=$docker,stty ;;
esac

# Deno cuts a carriage return off the end of an argument: such a one gets a mark, which the program takes away
# (cli/command_line/args.ts).
cr=$(printf '\r')
mark=$(printf '\357\243\277')
case "$*" in
  *"$cr"*)
    for arg do
      bare=$arg
      while [ "${bare%"$mark"}" != "$bare" ]; do bare=${bare%"$mark"}; done
      case $bare in *"$cr") arg=$arg$mark ;; esac
      shift
      set -- "$@" "$arg"
    done
    ;;
esac

# --allow-run    the docker command that started us, and stty, for `login`; nothing else
# --allow-env    settings of Docker's and ours, the home directory, the terminal; libraries see no other variable
# --allow-net    the engine's socket, and SSH to the master, which can be on any machine
# --allow-read   mpi.yaml, keys and the engine's socket, wherever the user has them
# --allow-write  the project that `init` makes, keys, the engine's socket
# --allow-sys    who the user is: files that `dev` makes are to be the user's
# Not allowed: libraries in machine code (ffi), other facts about the machine, loading code from the network (import).
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
exec "$deno" run --quiet --ext=js --no-config --no-lock --cached-only --no-remote --no-npm --no-prompt \
  "$run" \
  --allow-env='DOCKER_*,MPI_*,HOME,USERPROFILE,NO_COLOR,TERM,SSH_AUTH_SOCK,BUILDX_NO_DEFAULT_ATTESTATIONS' --ignore-env \
  --allow-net --allow-read --allow-write --allow-sys=uid,gid \
  "$0" "$@"
