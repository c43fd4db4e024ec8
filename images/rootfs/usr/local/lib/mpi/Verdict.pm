# What the end of a run means to its user, by all that happened in it. A job is what Request.pm gives.
package Verdict;
use strict;
use warnings;
use Config;
use Launcher;

my %signals = (INT => 130, TERM => 143, HUP => 129);
my $nodes_hint = 'docker mpi hosts  # lists the nodes there are';

# usage: of(JOB, END)
# END has what happened: the launcher's {status}; why the run was {ending}, or nothing; the nodes it {lost}; the first rank that
# {failed} and the one that {aborted}, each {rank, status}; the ranks that the launcher {killed} by itself; and {places}, the
# names of ranks' nodes as far as they were told.
# Gives {status}, with {message} and {hint} where there is something to say, and {launcher} if it has the word: nothing else
# says why it failed.
sub of {
  my ($job, $end) = @_;
  my $ending = $end->{ending};
  return {status => $signals{$ending}} if $signals{$ending};
  return told(124, "The program did not end within $job->{timeout} s and was ended") if $ending eq 'limit';
  return by_loss($job, $end) if @{$end->{lost}};
  return told(1, 'Standard input could not be brought to ' . rank($job, $end, 0), $nodes_hint) if $ending eq 'input';
  my ($failed, $aborted) = @$end{qw(failed aborted)};
  return by_rank($job, $end) if $failed && $failed->{rank} != ($aborted ? $aborted->{rank} : -1);
  # The words alone prove nothing: a program can print an old log.
  return by_abort($job, $end) if $aborted && ($end->{status} || $failed || @{$end->{killed}});
  return told($end->{status} || 1, 'A rank ended without MPI_Finalize, and the launcher ended the others') if @{$end->{killed}};
  return {status => 0} if $end->{status} == 0;
  return {%{told($end->{status}, "The launcher failed with status $end->{status}")}, launcher => 1};
}

# usage: told STATUS MESSAGE [HINT]
sub told { return {status => $_[0], message => $_[1], hint => $_[2]} }

# usage: rank JOB END RANK
# Gives it with the name of its node.
sub rank {
  my ($job, $end, $rank) = @_;
  return "rank $rank on " . ($end->{places}{$rank} // Launcher::node_of($job, $rank));
}

# usage: by_loss JOB END
# The launcher's own status then is that of a rank, or a signal's, which was our doing.
sub by_loss {
  my ($job, $end) = @_;
  my $status = $end->{status} > 0 && $end->{status} < 128 ? $end->{status} : 1;
  return told($status, 'Lost during the run: ' . join(', ', map { Launcher::with_ranks($job, $_) } @{$end->{lost}}), $nodes_hint);
}

# usage: by_rank JOB END
sub by_rank {
  my ($job, $end) = @_;
  my ($rank, $status) = @{$end->{failed}}{qw(rank status)};
  my $who = ucfirst rank($job, $end, $rank);
  my $signal = $status > 128 ? signal_name($status - 128) : undef;
  return told($status, defined $signal ? "$who was ended by signal " . ($status - 128) . " ($signal)" : "$who ended with status $status");
}

# usage: by_abort JOB END
sub by_abort {
  my ($job, $end) = @_;
  my ($rank, $asked) = @{$end->{aborted}}{qw(rank status)};
  my $status = $asked & 255 || $end->{status} || 1;
  return told($status, ucfirst(rank($job, $end, $rank)) . " called MPI_Abort, status $status");
}

# usage: signal_name NUMBER
# Gives nothing where there is no such signal.
sub signal_name {
  return (split ' ', $Config{sig_name})[$_[0]];
}

1;
