# One stream to many nodes at once: what comes from one handle goes to mpi_files on each of them.
#
#   my $fan = Fan->new('put', [Nodes::all()], $words);
#   $fan->ask;           # each part has {answer}, or {why} it failed
#   $fan->pump(\*STDIN);
package Fan;
use strict;
use warnings;
use Fcntl qw(F_SETFL O_NONBLOCK);
use Loop;
use Nodes;

use constant {
  CHUNK => 262_144,
  F_SETPIPE_SZ => 1031,
  PIPE => 1_048_576,     # so much a node may be behind the others
  ANSWER_LIMIT => 15,    # seconds until a node has to say whether it is ready
  STALL_LIMIT => 30,     # seconds that a node may take nothing
  CHECK_LIMIT => 60,     # seconds for the digests, and one more for
  CHECK_RATE => 10e6,    # so many bytes each
  ANSWER => 16_777_216,  # bytes that an answer has at most: the numbers of two million files
  EINTR => 4,
  EAGAIN => 11,
};

# usage: Fan->new(COMMAND, NODES, BYTES)
# Starts `mpi_files COMMAND` on each and sends the bytes.
sub new {
  my ($class, $command, $nodes, $bytes) = @_;
  my $self = bless {parts => [], sent => 0}, $class;
  push @{$self->{parts}}, $self->_start($_, $command) for @$nodes;
  $self->_give(\$bytes);
  return $self;
}

# usage: $fan->parts
# Gives {name, answer, why} of each node.
sub parts { return @{$_[0]{parts}} }

# usage: $fan->failed
# Gives those that failed; a part that ended without a word lost its node.
sub failed { return grep { defined $_->{why} } @{$_[0]{parts}} }

# usage: $fan->ask
# Waits until each has answered with a line, or failed.
sub ask {
  my ($self) = @_;
  my $end = Loop::now() + ANSWER_LIMIT;
  while (my @silent = grep { !defined $_->{why} && !defined $_->{answer} } $self->parts) {
    $self->_turn;
    if (Loop::now() > $end) { $self->_drop($_, 'it did not answer within ' . ANSWER_LIMIT . ' s') for @silent }
  }
  return;
}

# usage: $fan->pump(HANDLE)
# Sends all that comes from there, and waits until each has said that it is done.
sub pump {
  my ($self, $handle) = @_;
  while (1) {
    $self->_turn while $self->_behind;
    last unless grep { !defined $_->{why} } $self->parts;
    my $got = sysread $handle, my $bytes, CHUNK;
    next if !defined $got && $! == EINTR;
    last unless $got;
    $self->{sent} += $got;
    $self->_give(\$bytes);
  }
  for ($self->parts) { close delete $_->{in} if $_->{in} }
  my $end = Loop::now() + CHECK_LIMIT + $self->{sent} / CHECK_RATE;
  while (my @busy = grep { !defined $_->{why} && ($_->{answer} // '') ne 'done' } $self->parts) {
    $self->_turn;
    if (Loop::now() > $end) { $self->_drop($_, 'it did not say that it was done') for @busy }
  }
  return;
}

sub _start {
  my ($self, $node, $command) = @_;
  pipe(my $from, my $in) && pipe(my $out, my $to) or die "mpi_cp: cannot make a pipe: $!\n";
  my $pid = fork // die "mpi_cp: cannot fork: $!\n";
  if (!$pid) {
    $SIG{PIPE} = 'DEFAULT';
    open STDIN, '<&', $from;
    open STDOUT, '>&', $to;
    open STDERR, '>', '/dev/null';
    my @words = Nodes::command($node, 'mpi_files', $command);
    exec {$words[0]} @words or exit 255;
  }
  fcntl $in, F_SETFL, O_NONBLOCK;
  fcntl $in, F_SETPIPE_SZ, PIPE;
  return {name => $node->{name}, pid => $pid, in => $in, out => $out, said => '', moved => Loop::now()};
}

sub _give {
  my ($self, $bytes) = @_;
  for (grep { $_->{in} } $self->parts) { @$_{qw(bytes at moved)} = ($bytes, 0, Loop::now()) }
  return;
}

# Gives the parts that have not taken all that they were given.
sub _behind {
  return grep { $_->{in} && $_->{bytes} } @{$_[0]{parts}};
}

# usage: $fan->_turn
# Waits until something can be written or read, for a moment, and does it.
sub _turn {
  my ($self) = @_;
  my ($reads, $writes) = ('', '');
  my @open = grep { $_->{out} } $self->parts;
  my @behind = $self->_behind;
  vec($reads, fileno $_->{out}, 1) = 1 for @open;
  vec($writes, fileno $_->{in}, 1) = 1 for @behind;
  if (select($reads, $writes, undef, 0.25) > 0) {
    for (@behind) { $self->_write($_) if vec $writes, fileno $_->{in}, 1 }
    for (@open) { $self->_read($_) if vec $reads, fileno $_->{out}, 1 }
  }
  my $now = Loop::now();
  for (grep { $_->{in} && $now > $_->{moved} + STALL_LIMIT } @behind) {
    $self->_drop($_, 'it took nothing for ' . STALL_LIMIT . ' s');
  }
  return;
}

sub _write {
  my ($self, $part) = @_;
  my $sent = syswrite $part->{in}, ${$part->{bytes}}, CHUNK, $part->{at};
  if (defined $sent) {
    $part->{at} += $sent;
    $part->{moved} = Loop::now();
    delete $part->{bytes} if $part->{at} == length ${$part->{bytes}};
  }
  elsif ($! != EAGAIN) { close delete $part->{in} } # why, it says
  return;
}

sub _read {
  my ($self, $part) = @_;
  my $got = sysread $part->{out}, my $bytes, CHUNK;
  if (!$got) {
    $self->_drop($part, 'lost during the copy') unless ($part->{answer} // '') =~ /^(?:done|missing)/;
    close delete $part->{out} if $part->{out};
    return;
  }
  $part->{said} .= $bytes;
  while ($part->{said} =~ s/^([^\n]*)\n//) {
    my $line = $1;
    if ($line =~ /^failed (.*)/) { $self->_drop($part, $1) }
    else { $part->{answer} = $line }
  }
  $self->_drop($part, 'it answered something else') if length $part->{said} > ANSWER;
  return;
}

# usage: $fan->_drop(PART, WHY)
# What a worker says is taken as plain text.
sub _drop {
  my ($self, $part, $why) = @_;
  $part->{why} //= substr $why =~ s/[\x00-\x1f\x7f]/?/gr, 0, 500;
  close delete $part->{in} if $part->{in};
  kill TERM => $part->{pid} if $part->{out};
  close delete $part->{out} if $part->{out};
  delete $part->{bytes};
  return;
}

1;
