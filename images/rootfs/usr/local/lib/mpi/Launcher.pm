# What differs between the launchers of MPICH and Open MPI, for mpi_run. A job is what Request.pm gives.
package Launcher;
use strict;
use warnings;
use Nodes;
use Slots;

# usage: implementation()
# Gives the MPI of this image: mpich or openmpi.
sub implementation { return Nodes::read_text('/usr/local/lib/mpi/implementation') }

# usage: is_free(JOB)
# Whether the launcher places the ranks by the user's own words. Otherwise it is we who say how many each node gets. Hydra's
# words are about places within a node.
sub is_free {
  my ($job) = @_;
  return implementation() eq 'openmpi' && (defined $job->{'map-by'} || @{$job->{'mpi-args'}} > 0);
}

# usage: places(JOB)
# Gives a node for each place there is: one after the other is filled. With more ranks than places it begins again.
sub places {
  my ($job) = @_;
  return map { ($_) x ($job->{ppn} // $_->{slots}) } @{$job->{nodes}};
}

# usage: node_of(JOB, RANK)
# Gives the name of its node, unless the user's own words place it.
sub node_of {
  my ($job, $rank) = @_;
  my @places = places($job);
  return $places[$rank % @places]{name};
}

# usage: with_ranks(JOB, NODE)
# Gives a node's name and its ranks, "worker-2 (ranks 2, 8-9)", unless the user's own words place them.
sub with_ranks {
  my ($job, $node) = @_;
  return $node->{name} if is_free($job);
  my @places = places($job);
  my @parts;
  for my $rank (grep { $places[$_ % @places]{name} eq $node->{name} } 0 .. $job->{np} - 1) {
    if (@parts && $parts[-1][1] == $rank - 1) { $parts[-1][1] = $rank }
    else { push @parts, [$rank, $rank] }
  }
  return $node->{name} unless @parts;
  my $plural = @parts > 1 || $parts[0][0] < $parts[0][1] ? 's' : '';
  my @texts = map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @parts;
  splice @texts, 8, @texts, '…' if @texts > 8;
  return "$node->{name} (rank$plural " . join(', ', @texts) . ')';
}

# usage: excess(JOB)
# Gives a warning if ranks have to share slots, or nothing.
sub excess {
  my ($job) = @_;
  my %ranks = Slots::ranks(@$job{qw(np ppn)}, @{$job->{nodes}});
  my ($node) = grep { ($ranks{$_->{address}} // 0) > $_->{slots} } @{$job->{nodes}} or return;
  my $slots = $node->{slots} == 1 ? '1 slot' : "$node->{slots} slots";
  return "$node->{name} has $slots for $ranks{$node->{address}} ranks, which share its CPUs and run slower";
}

# usage: hostfile(JOB)
# Gives the text of its hostfile: Hydra's, or PRRTE's with a line for each rank. By its own way PRRTE would refuse more ranks
# than slots, and begin with the master wherever that stands.
sub hostfile {
  my ($job) = @_;
  return map { "$_->{address}:$_->{slots}\n" } @{$job->{nodes}} if implementation() eq 'mpich';
  return map { "$_->{address} slots=" . ($job->{ppn} // $_->{slots}) . "\n" } @{$job->{nodes}} if is_free($job);
  my @places = places($job);
  return map { "$places[$_ % @places]{address}\n" } 0 .. $job->{np} - 1;
}

# usage: words(JOB, HOSTFILE, VARIABLES)
# Gives the command that starts its ranks, up to the program.
sub words {
  my ($job, $hostfile, $variables) = @_;
  my $openmpi = implementation() eq 'openmpi';
  my $map = $job->{'map-by'} // ($openmpi && !is_free($job) ? 'seq' : undef);
  $map .= ':OVERSUBSCRIBE' if is_free($job) && defined $map && $map !~ /oversubscribe/i && defined excess($job);
  return (
    'mpirun', $openmpi ? '--hostfile' : '-f', $hostfile, '-n', $job->{np},
    !$openmpi && defined $job->{ppn} ? ('-ppn', $job->{ppn}) : (),
    # Without this prted leaves the session in which mpi_relay runs it. Hydra hands on all variables by itself.
    $openmpi ? ('--leave-session-attached', map { ('-x', $_) } 'MPI_JOB', 'MPI_JOB_STDIN', @$variables) : (),
    defined $job->{'bind-to'} ? ($openmpi ? '--bind-to' : '-bind-to', $job->{'bind-to'}) : (),
    defined $map ? ($openmpi ? '--map-by' : '-map-by', $map) : (),
    @{$job->{'mpi-args'}},
  );
}

# usage: aborted(TEXT)
# Gives who called MPI_Abort, {rank, status}, by what MPICH prints on its standard error and Open MPI on the launcher's.
sub aborted {
  my ($text) = @_;
  return {rank => $2, status => $1} if $text =~ /^(?:e\d+:)?Abort\((-?\d+)\) on node (\d+)/m;
  return {rank => $1, status => $2} if $text =~ /^MPI_ABORT was invoked on rank (\d+).*?^\s*Errorcode: (-?\d+)/ms;
  return;
}

1;
