# What mpi_run is asked to do: its words taken apart, and checked against what is there.
package Request;
use strict;
use warnings;
use Nodes;
use Words;

# All arguments of a program together may have two MB, and they are sent as hexadecimal digits.
use constant WORDS => 900_000;

# Linux takes no more than that in one of them.
use constant WORD => 131_071;

my $fail; # called with a status, a message and a hint; does not come back

# usage: take(FAIL, WORD...)
# Gives {job, np, ppn, hosts, dir, env, timeout, stdin, program, ...}; the working directory is that of the program after it.
sub take {
  ($fail, my @words) = @_;
  @words = read_words(\*STDIN) if @words == 1 && $words[0] eq '--read';
  if (@words == 2 && $words[0] eq '--words') {
    open my $file, '<', $words[1] or $fail->(125, "mpi_run: cannot read $words[1]: $!");
    @words = read_words($file);
  }
  my %job = take_words(@words);
  check_lengths(\%job);
  check_program($job{program}[0], $job{dir});
  return %job;
}

# usage: read_words HANDLE
sub read_words {
  my ($from) = @_;
  my @words = Words::from($from) or $fail->(125, 'mpi_run: the words are cut off');
  return @words;
}

# usage: take_words WORD...
# Gives the options and the program.
sub take_words {
  my @words = @_;
  my %job = (dir => '/project', env => [], 'mpi-args' => [], stdin => 0);
  while (@words) {
    my $word = shift @words;
    last if $word eq '--';
    if ($word =~ /^--(stdin|records|queue|left)$/) { $job{$1} = 1 }
    elsif ($word eq '--env') { push @{$job{env}}, shift @words }
    elsif ($word eq '--mpi-arg') { push @{$job{'mpi-args'}}, shift @words }
    elsif ($word =~ /^--(job|np|ppn|hosts|dir|timeout|bind-to|map-by|facts|title)$/) { $job{$1} = shift @words }
    else { $fail->(125, "mpi_run: unknown option \"$word\"") }
  }
  $job{program} = [@words];
  $fail->(125, 'mpi_run: want --job ID ... -- PROGRAM [ARG]...') unless @words && ($job{job} // '') =~ /^[A-Za-z0-9-]+$/;
  return %job;
}

# usage: check_lengths JOB
# Linux starts no program with longer arguments and variables.
sub check_lengths {
  my ($job) = @_;
  my @arguments = @{$job->{program}};
  my @all = (map({ ["Argument $_", $arguments[$_]] } 0 .. $#arguments), map { ['Variable ' . s/=.*//sr, $_] } @{$job->{env}});
  my $hint = 'docker mpi cp FILE .  # brings it in a file';
  for (@all) {
    my ($name, $length) = ($_->[0], length $_->[1]);
    $fail->(125, "$name has $length bytes, at most " . WORD . ' can be passed', $hint) if $length > WORD;
  }
  my $sum = length join ' ', map { $_->[1] } @all;
  $fail->(125, "The program's arguments and variables have $sum bytes, at most " . WORDS . ' can be passed', $hint) if $sum > WORDS;
  return;
}

# usage: check_program PROGRAM DIRECTORY
# The status a shell would give, before anything starts.
sub check_program {
  my ($program, $dir) = @_;
  chdir $dir or $fail->(125, "Cannot enter \"$dir\" on the master", 'docker mpi exec ls -ld ' . Nodes::typed($dir));
  my ($code, $why) = Nodes::problem($program) or return;
  # `docker mpi exec` starts in /project.
  my $there = $program =~ m{^/} || $dir eq '/project' ? $program : "$dir/" . $program =~ s{^\./}{}r;
  $fail->(126, "Program \"$program\" in $dir on the master $why", 'docker mpi exec ls -ld ' . Nodes::typed($there) . '  # shows why') if $code == 126;
  my $hint = 'docker mpi exec ls -l ' . Nodes::typed($dir) . '  # shows what is there; docker mpi deploy --build brings what changed';
  $fail->(127, "Program \"$program\" $why in $dir on the master", $hint) if $program =~ m{/};
  $hint = 'docker mpi run ' . Nodes::typed("./$program") . "  # names the file in $dir" if -e $program;
  $fail->(127, "Program \"$program\" $why on the master", $hint);
}

# usage: candidates(JOB)
# Gives the nodes that the job may use: those of --hosts, or all. With --left those that are gone are none of them.
sub candidates {
  my ($job) = @_;
  return Nodes::all() unless defined $job->{hosts};
  my @names = split /,/, $job->{hosts};
  my %seen;
  my @nodes = grep { !$seen{$_->{address}}++ } map { Nodes::named($_) // ($job->{left} ? () : unknown_node($_)) } @names;
  return @nodes ? @nodes : unknown_node($names[0] // '');
}

# usage: unknown_node NAME
sub unknown_node {
  return $fail->(125, "No node \"$_[0]\": there are " . Nodes::names(), 'docker mpi hosts');
}

# usage: fill(NP, PPN, NODE...)
# Gives the nodes that the job fills. It keeps to them, whatever enters or leaves.
sub fill {
  my ($np, $ppn, @nodes) = @_;
  my ($ranks, @used) = (0);
  for my $node (@nodes) {
    last if defined $np && $ranks >= $np;
    push @used, $node;
    $ranks += $ppn // $node->{slots};
  }
  return @used;
}

1;
