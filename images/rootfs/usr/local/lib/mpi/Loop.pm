# An event loop for mpi_run and mpi_exec: many streams come in, few go out, and no line is torn.
#
#   my $loop = Loop->new(out => \*STDOUT, err => \*STDERR);
#   $loop->relay($pipe, 'out', label => 'worker-1 | ');
#   $loop->after(5, sub { ... });
#   $loop->turn until $loop->idle;
package Loop;
use strict;
use warnings;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);

# Each module that is loaded makes every run wait: what a line can do, needs none.
use constant {
  EINTR => 4,
  EAGAIN => 11,
  CHUNK => 65_536,
  # A reader that is slower than the programs slows them, once so many bytes wait for it.
  PENDING => 1_048_576,
  # A line that is longer than that comes in pieces.
  LINE => 1_048_576,
  # What a record has at most; Perl counts no further in a pattern.
  RECORD => 32_000,
  # What is no whole line yet is shown when nothing has come for so many seconds: a question waits for its answer.
  PATIENCE => 0.2,
  # For so many seconds others wait then for the rest of that line.
  TURN_TO_SPEAK => 1,
  # Nothing is missed for longer, in seconds: a signal may come just before we wait.
  TURN => 0.25,
};

# usage: Loop::now()
# Gives seconds, to the hundredth, on a clock that nobody sets.
sub now {
  open my $uptime, '<', '/proc/uptime' or die "Loop: cannot read /proc/uptime: $!\n";
  my ($seconds) = <$uptime> =~ /^(\S+)/;
  return $seconds;
}

# usage: Loop->new(NAME => HANDLE, ...)
# The handles are what goes out; they are made non-blocking until restore.
sub new {
  my ($class, %handles) = @_;
  my %outputs;
  for my $name (keys %handles) {
    my $flags = fcntl $handles{$name}, F_GETFL, 0;
    fcntl $handles{$name}, F_SETFL, $flags | O_NONBLOCK;
    $outputs{$name} = {handle => $handles{$name}, flags => $flags, pending => '', broken => 0, speaker => 0, until => 0};
  }
  return bless {outputs => \%outputs, streams => {}, timers => [], broken => sub { }, heard => 0}, $class;
}

# usage: Loop::records(SOURCE, TEXT)
# Gives a text as records, one line each: `o3:a line`, or `o3+part of one` whose end isn't there yet. SOURCE is `o` for standard
# output or `e` for standard error, and the rank, or `-` for what we say ourselves.
sub records {
  my ($source, $text) = @_;
  $text =~ s{([^\n]{0,${\RECORD}})\n|([^\n]{1,${\RECORD}})}{defined $1 ? "$source:$1\n" : "$source+$2\n"}ge;
  return $text;
}

# usage: $loop->relay(HANDLE, OUTPUT, label => TEXT, listen => CODE, source => SOURCE, records => BOOLEAN)
# Copies a stream to an output in whole lines, until its end. With a label each line begins with it, and the last one gets
# its end where it has none. CODE gets the lines too. With a source the output gets records, and `records` says
# that the stream consists of them.
sub relay {
  my ($self, $handle, $output, %options) = @_;
  $self->{streams}{fileno $handle} = {handle => $handle, output => $output, held => '', %options};
  return;
}

# usage: $loop->watch(HANDLE, CODE)
# Calls back with what comes, and with '' at the end.
sub watch {
  my ($self, $handle, $code) = @_;
  $self->{streams}{fileno $handle} = {handle => $handle, code => $code, held => ''};
  return;
}

# usage: $loop->after(SECONDS, CODE)
sub after {
  my ($self, $seconds, $code) = @_;
  push @{$self->{timers}}, [now() + $seconds, $code];
  return;
}

# usage: $loop->on_broken(CODE)
# Calls back once for each output that nobody reads any more; what goes there is dropped from then on.
sub on_broken {
  my ($self, $code) = @_;
  $self->{broken} = $code;
  return;
}

# usage: $loop->say(OUTPUT, TEXT)
sub say {
  my ($self, $name, $text) = @_;
  my $output = $self->{outputs}{$name};
  $output->{pending} .= $text unless $output->{broken};
  return;
}

# usage: $loop->turn
# Waits for something to happen, for a short time, and takes it in. Gives whether a stream had something.
sub turn {
  my ($self, $limit) = @_;
  my ($reads, $writes) = ('', '');
  my @outputs = values %{$self->{outputs}};
  for my $output (@outputs) {
    vec($writes, fileno $output->{handle}, 1) = 1 if length $output->{pending};
  }
  for my $fd (keys %{$self->{streams}}) {
    my $stream = $self->{streams}{$fd};
    my $output = $self->{outputs}{$stream->{output} // ''};
    vec($reads, $fd, 1) = 1 unless $stream->{over} || $output && (length $output->{pending} > PENDING || length $stream->{held} > 2 * LINE);
  }
  my $found = select $reads, $writes, undef, $self->_patience($limit);
  my $heard = 0;
  if ($found > 0) {
    for my $fd (keys %{$self->{streams}}) { $heard += $self->_read($fd) if vec $reads, $fd, 1 }
    for my $output (@outputs) { $self->_write($output) if vec $writes, fileno $output->{handle}, 1 }
  }
  $self->{heard} = now() if $heard;
  $self->_let_others_speak;
  $self->_show_rests unless $heard || grep { length $_->{pending} } @outputs;
  $self->_ring;
  return $heard;
}

# usage: $loop->relays
# Gives how many streams are copied.
sub relays {
  my ($self) = @_;
  return scalar grep { !$_->{code} } values %{$self->{streams}};
}

# usage: $loop->idle
# Gives whether all streams have ended and all is written.
sub idle {
  my ($self) = @_;
  return !%{$self->{streams}} && !$self->pending;
}

# usage: $loop->pending
# Gives whether something waits for its reader.
sub pending {
  my ($self) = @_;
  return scalar grep { length $_->{pending} } values %{$self->{outputs}};
}

# usage: $loop->flush(CODE)
# Takes what the streams still have, and waits until all is written, for as long as CODE gives true.
sub flush {
  my ($self, $may_wait) = @_;
  1 while $self->turn(0) && $may_wait->();
  $self->_end($_) for grep { !$self->{streams}{$_}{code} } keys %{$self->{streams}};
  $self->turn while $self->pending && $may_wait->();
  return;
}

# usage: $loop->restore
# Makes the outputs as they were: another process may share them.
sub restore {
  my ($self) = @_;
  fcntl $_->{handle}, F_SETFL, $_->{flags} for values %{$self->{outputs}};
  return;
}

sub _patience {
  my ($self, $limit) = @_;
  my $wait = $limit // TURN;
  $wait = PATIENCE if $wait > PATIENCE && grep { length $_->{held} } values %{$self->{streams}};
  for my $timer (@{$self->{timers}}) {
    my $left = $timer->[0] - now();
    $wait = $left > 0 ? $left : 0 if $left < $wait;
  }
  return $wait;
}

sub _read {
  my ($self, $fd) = @_;
  my $stream = $self->{streams}{$fd} // return 0;
  my $got = sysread $stream->{handle}, my $bytes, CHUNK;
  return 0 if !defined $got && ($! == EAGAIN || $! == EINTR);
  if (!$got) { $stream->{over} = 1 }
  if ($stream->{code}) { $got ? $stream->{code}->($bytes) : $self->_end($fd) }
  else { $self->_take($stream, $got ? $bytes : '') }
  return 1;
}

sub _take {
  my ($self, $stream, $bytes) = @_;
  $stream->{held} .= $bytes;
  $self->_pass($stream);
  return;
}

# usage: $loop->_pass(STREAM)
# Hands on the whole lines that a stream has, unless another one is in the middle of a line.
sub _pass {
  my ($self, $stream) = @_;
  my $output = $self->{outputs}{$stream->{output}};
  return if $output->{speaker} && $output->{speaker} != $stream && now() < $output->{until};
  return $self->_end(fileno $stream->{handle}) if $stream->{over};
  my $whole = 1 + rindex $stream->{held}, "\n";
  $whole = length $stream->{held} if !$whole && length $stream->{held} > LINE;
  $self->_emit($stream, substr $stream->{held}, 0, $whole, '') if $whole;
  return;
}

sub _emit {
  my ($self, $stream, $text) = @_;
  my $output = $self->{outputs}{$stream->{output}};
  my $before = $output->{speaker};
  if (_is_whole($stream, $text)) { $output->{speaker} = 0 }
  elsif ($before != $stream) { @$output{qw(speaker until)} = ($stream, now() + TURN_TO_SPEAK) }
  $stream->{listen}->($text) if $stream->{listen};
  $text =~ s/^/$stream->{label}/mg if defined $stream->{label};
  $text = records($stream->{source}, $text) if defined $stream->{source};
  $self->say($stream->{output}, $text);
  return;
}

# usage: _is_whole STREAM TEXT
# Whether a text ends with the end of a line.
sub _is_whole {
  my ($stream, $text) = @_;
  return $text =~ /\n\z/ unless $stream->{records};
  return substr($text, 1 + rindex $text, "\n", length($text) - 2) !~ /^\w+\+/;
}

# usage: $loop->_let_others_speak
# Those that waited for the end of another one's line go on, when it has come or does not come.
sub _let_others_speak {
  my ($self) = @_;
  $self->_pass($_) for grep { !$_->{code} && (length $_->{held} || $_->{over}) } values %{$self->{streams}};
  return;
}

sub _end {
  my ($self, $fd) = @_;
  my $stream = delete $self->{streams}{$fd} // return;
  if ($stream->{code}) { $stream->{code}->('') }
  elsif (length $stream->{held}) {
    $stream->{held} .= "\n" if defined $stream->{label} || $stream->{records};
    $self->_emit($stream, $stream->{held});
  }
  $self->{outputs}{$stream->{output}}{speaker} = 0
    if defined $stream->{output} && $self->{outputs}{$stream->{output}}{speaker} == $stream;
  return;
}

sub _show_rests {
  my ($self) = @_;
  return if now() - $self->{heard} < PATIENCE;
  for my $stream (values %{$self->{streams}}) {
    # With labels a line is shown when it is whole: half of one would need another label. Half a record is none.
    next if defined $stream->{label} || $stream->{records} || $stream->{code} || !length $stream->{held};
    my $output = $self->{outputs}{$stream->{output}};
    next if $output->{speaker} && $output->{speaker} != $stream && now() < $output->{until};
    $self->_emit($stream, $stream->{held});
    $stream->{held} = '';
  }
  return;
}

sub _write {
  my ($self, $output) = @_;
  my $sent = syswrite $output->{handle}, $output->{pending}, CHUNK;
  if (defined $sent) { substr $output->{pending}, 0, $sent, '' }
  elsif ($! != EAGAIN && $! != EINTR) {
    $output->{broken} = 1;
    $output->{pending} = '';
    $self->{broken}->();
  }
  return;
}

sub _ring {
  my ($self) = @_;
  my $now = now();
  my @due = grep { $_->[0] <= $now } @{$self->{timers}};
  $self->{timers} = [grep { $_->[0] > $now } @{$self->{timers}}];
  $_->[1]->() for @due;
  return;
}

1;
