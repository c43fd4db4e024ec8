# What stays with a job: starts mpi_run for it, stores what that prints up to a limit, and starts it again after a node was
# lost, if that is wanted. mpi_run ends with its parent, which is the keeper and no session of a client's.
package Keeper;
use strict;
use warnings;
use POSIX ();
use Jobs;
use Loop;
use Nodes;
use Processes;

use constant {
  CHUNK => 65_536,
  EINTR => 4,
  # Seconds between two attempts, in which a list of nodes can settle.
  PAUSE => 1,
};

# usage: Keeper->new(ID, limit => BYTES, retries => N, words => [WORD...])
sub new {
  my ($class, $id, %options) = @_;
  my $folder = Jobs::folder($id);
  open my $log, '>>', "$folder/log" or die "mpi_job: cannot write $folder/log: $!\n";
  return bless {id => $id, folder => $folder, log => $log, size => 0, dropped => 0, signal => '', %options}, $class;
}

# usage: $keeper->keep
# Returns when the job has ended.
sub keep {
  my ($self) = @_;
  $SIG{HUP} = 'IGNORE';
  for my $signal (qw(INT TERM)) { $SIG{$signal} = sub { $self->_cancel($signal) } }
  my $status;
  for (my $attempt = 1;; $attempt++) {
    $status = eval { $self->_run($attempt) } // $self->_give_up($@);
    my %facts = Jobs::facts($self->{id});
    last if $facts{why} ne 'lost' || $attempt > $self->{retries} || $self->{signal};
    $self->say("Runs again on the nodes that are left, retry $attempt of $self->{retries}");
    select undef, undef, undef, PAUSE;
    next unless $self->{signal};
    # As if it had come when the program ran.
    $status = $self->{signal} eq 'INT' ? 130 : 143;
    last;
  }
  # What was only there to run it: input can be large, and variables be secret. It leaves room for the facts, too.
  unlink map { "$self->{folder}/$_" } qw(input words reserve);
  $self->say("$self->{dropped} bytes of output were dropped, beyond the limit of $self->{limit} bytes") if $self->{dropped};
  $self->_note(dropped => $self->{dropped}) if $self->{dropped};
  $self->_note(cancelled => 1) if $self->{signal};
  $self->_note(status => $status);
  $self->_note(ended => time);
  return;
}

# usage: $keeper->say(MESSAGE)
# A word of ours in the log, which the limit does not keep out.
sub say {
  my ($self, $message) = @_;
  my $record = Loop::records('e-', "docker mpi run: $message\n");
  syswrite $self->{log}, $record;
  $self->{size} += length $record;
  return;
}

# usage: $keeper->_give_up(WHY)
# Ends a job that can't be started, for want of space as a rule; gives its status.
sub _give_up {
  my ($self, $why) = @_;
  chomp $why;
  unlink "$self->{folder}/reserve";
  $self->say($why);
  $self->_note(reason => $why);
  return 125;
}

sub _note {
  my ($self, $key, $value) = @_;
  Jobs::note($self->{id}, $key, $value);
  return;
}

# A signal can come when nothing runs: there is no next attempt then.
sub _cancel {
  my ($self, $signal) = @_;
  $self->{signal} = $signal;
  kill $signal => $self->{run} if $self->{run};
  return;
}

# usage: $keeper->_run(ATTEMPT)
# Gives the status of mpi_run.
sub _run {
  my ($self, $attempt) = @_;
  $self->_note(attempt => $attempt);
  $self->_note($_ => '') for qw(why reason);
  $self->_write_words($attempt);
  pipe my $from, my $to or die "mpi_job: no pipe: $!\n";
  # A signal waits until there is somebody to hand it to; the child would take it for its own to hand on.
  my $signals = POSIX::SigSet->new(POSIX::SIGINT(), POSIX::SIGTERM());
  POSIX::sigprocmask(POSIX::SIG_BLOCK(), $signals);
  my $pid = fork // die "mpi_job: cannot fork: $!\n";
  if ($pid == 0) {
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $signals);
    open STDIN, '<', -e "$self->{folder}/input" ? "$self->{folder}/input" : '/dev/null';
    open STDOUT, '>&', $to;
    open STDERR, '>', "$self->{folder}/said";
    exec 'mpi_run', '--words', "$self->{folder}/words" or exit 127;
  }
  $self->{run} = $pid;
  kill $self->{signal} => $pid if $self->{signal};
  POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $signals);
  close $to;
  $self->_store_all($from);
  1 until waitpid($pid, 0) == $pid;
  my $status = Processes::status();
  delete $self->{run};
  # What mpi_run said before it had a way of its own: why it couldn't begin.
  my $said = Nodes::read_text("$self->{folder}/said");
  $self->_store(Loop::records('e-', "$said\n")) if length $said;
  unlink "$self->{folder}/said";
  return $status;
}

# usage: $keeper->_write_words(ATTEMPT)
sub _write_words {
  my ($self, $attempt) = @_;
  my @more = ('--job', "run-$self->{id}-$attempt", '--records', '--facts', "$self->{folder}/facts", '--title', "job $self->{id}");
  push @more, '--stdin' if -e "$self->{folder}/input";
  push @more, '--left' if $attempt > 1;
  my $words = join '', map { "$_\0" } @more, @{$self->{words}};
  open my $file, '>', "$self->{folder}/words" or die "mpi_job: cannot write $self->{folder}/words: $!\n";
  print $file length($words), "\n", $words;
  close $file or die "mpi_job: cannot write $self->{folder}/words: $!\n";
  return;
}

# usage: $keeper->_store_all(HANDLE)
sub _store_all {
  my ($self, $from) = @_;
  my $held = '';
  while (1) {
    my $got = sysread $from, $held, CHUNK, length $held;
    next if !defined $got && $! == EINTR;
    last unless $got;
    my $whole = 1 + rindex $held, "\n";
    $self->_store(substr $held, 0, $whole, '') if $whole;
  }
  return;
}

# usage: $keeper->_store(RECORDS)
# Up to the limit nothing is lost; what comes beyond it is counted. A full disk is a limit, too.
sub _store {
  my ($self, $records) = @_;
  my $room = $self->{full} || $self->{size} > $self->{limit} ? 0 : $self->{limit} - $self->{size};
  my $fits = length $records;
  $fits = 1 + rindex substr($records, 0, $room), "\n" if $fits > $room;
  my $written = 0;
  while ($written < $fits) {
    my $sent = syswrite $self->{log}, $records, $fits - $written, $written;
    last if !defined $sent && $! != EINTR;
    $written += $sent // 0;
  }
  $self->{size} += $written;
  return if $written == length $records;
  $self->_be_full($written < $fits ? "cannot be written: $!" : "has its $self->{limit} bytes") unless $self->{full}++;
  # What is ours says why the job ended: it always has room.
  my $ours = join '', substr($records, $written) =~ /^e-:.*\n/mg;
  syswrite $self->{log}, $ours if length $ours;
  $self->{dropped} += length($records) - $written - length $ours;
  return;
}

sub _be_full {
  my ($self, $why) = @_;
  # Room for our own words, where the disk has none.
  unlink "$self->{folder}/reserve";
  syswrite $self->{log}, "\n" if $why =~ /written/;
  $self->say("The job's log $why: what the program prints from now on is dropped");
  return;
}

1;
