# Other programs that ours start: how they begin, and how they ended.
package Processes;
use strict;
use warnings;
use Nodes;

# usage: start(PREPARE, WORD...)
# Starts a program in a group of its own, which none of our signals reach. PREPARE is called there, and says what it has besides.
# Gives its pid, or nothing and $!.
sub start {
  my ($prepare, @words) = @_;
  my $pid = fork;
  return $pid if !defined $pid || $pid;
  $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
  setpgrp;
  $prepare->();
  exec {$words[0]} @words or exit 127;
}

# usage: silence()
# Leaves this process nothing to read and nobody to tell.
sub silence {
  open STDIN, '<', '/dev/null';
  open STDOUT, '>', '/dev/null';
  open STDERR, '>', '/dev/null';
  return;
}

# usage: on_nodes(NODES, WORD...)
# Starts a command of ours on all of them at once, in silence. Gives the pids.
sub on_nodes {
  my ($nodes, @words) = @_;
  return grep { defined } map { start(\&silence, Nodes::command($_, @words)) } @$nodes;
}

# usage: status()
# Gives the status that a shell would give for the process that was just waited for.
sub status { return $? & 127 ? 128 + ($? & 127) : $? >> 8 }

1;
