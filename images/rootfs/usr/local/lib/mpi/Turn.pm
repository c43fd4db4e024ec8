# How a run comes to its slots: at once, sharing them where there are too few, or when its turn has come. A job is what
# Request.pm gives.
package Turn;
use strict;
use warnings;
use Launcher;
use Nodes;
use Request;
use Slots;

# usage: take(JOB, say => CODE, queued => CODE, wait => CODE)
# Puts into the job the nodes that it is to run on, and np. SAY gets a text for the user; with --queue, QUEUED is called once if
# slots are not free at once, and WAIT lets some time pass, and gives whether to go on waiting.
sub take {
  my ($job, %calls) = @_;
  if ($job->{queue}) { wait_for_turn($job, %calls) }
  else {
    Slots::locked(sub { take_slots($job, $calls{say}) });
  }
  return;
}

# usage: wait_for_turn JOB CALLS
# First come first served: who is not the first does not look for slots.
sub wait_for_turn {
  my ($job, %calls) = @_;
  my ($place, @queue, $told);
  my $try = sub {
    $place //= Slots::queue_up($job->{job});
    @queue = Slots::queue();
    return $queue[0] eq $place && take_slots($job, $calls{say});
  };
  until (Slots::locked($try)) {
    if (!$told++) {
      $calls{queued}->();
      say_who_is_waited_for($job, $calls{say}, scalar grep { $_ lt $place } @queue);
    }
    last unless $calls{wait}->();
  }
  Slots::leave($place);
  return;
}

# usage: take_slots JOB SAY
# Says with whom they are shared where there are too few. Gives whether there are any.
sub take_slots {
  my ($job, $say) = @_;
  my @others = Slots::others($job->{job});
  my @nodes = Request::candidates($job);
  if ($job->{queue}) {
    my %used = Slots::used(@others);
    @nodes = Slots::free(@$job{qw(np ppn)}, \%used, @nodes) or return 0;
  }
  @nodes = Request::fill(@$job{qw(np ppn)}, @nodes) unless Launcher::is_free($job);
  if (!defined $job->{np}) { $job->{np} += $job->{ppn} // $_->{slots} for @nodes }
  $job->{nodes} = \@nodes;
  my %ranks = Slots::ranks(@$job{qw(np ppn)}, @nodes);
  Slots::claim($job->{job}, title($job), \%ranks);
  my ($full, $with) = Slots::shared(\%ranks, \@nodes, @others);
  $say->('docker mpi run: Shares slots on ' . some(@$full) . ' with ' . some(@$with) . ", which slows both\n"
    . Nodes::hint("hint: docker mpi run --queue  # waits for free slots\n")) if @$full;
  return 1;
}

# usage: title JOB
# How the run is called where others share slots with it: the job, or the program alone.
sub title {
  my ($job) = @_;
  my $program = "\"$job->{program}[0]\"" =~ s/[^ -~]/?/gr;
  return defined $job->{title} ? "$job->{title}, $program" : "a run of $program";
}

# usage: some NAME...
sub some {
  my @names = @_;
  return join ', ', @names if @names <= 3;
  return join(', ', @names[0 .. 2]) . ' and ' . (@names - 3) . ' more';
}

# usage: say_who_is_waited_for JOB SAY BEFORE
# BEFORE is how many have a place before this run.
sub say_who_is_waited_for {
  my ($job, $say, $before) = @_;
  my @others = map { $_->{name} } Slots::others($job->{job});
  my @why = (@others ? 'slots are in use by ' . some(@others) : (), $before ? "$before waiting before it" : ());
  $say->('docker mpi run: Waits its turn: ' . join(', ', @why) . "\n") if @why;
  return;
}

1;
