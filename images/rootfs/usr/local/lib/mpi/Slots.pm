# Which slots runs have, and whose turn it is. A run has slots, or a place in the queue, as long as it holds the lock on the
# file that says so: what ends, however, has none.
package Slots;
use strict;
use warnings;
use Fcntl qw(:flock);
use Nodes;

use constant {RUN => '/run/mpi', QUEUE => '/run/mpi/queue'};

my @held; # locks that last as long as this process

# usage: ranks(NP, PPN, NODE...)
# Gives how many ranks each address gets, by the launchers' way: they fill one node after the other, and begin again.
sub ranks {
  my ($np, $ppn, @nodes) = @_;
  my %ranks;
  my $left = $np;
  while ($left > 0 && @nodes) {
    for my $node (@nodes) {
      my $some = $ppn // $node->{slots};
      $some = $left if $left < $some;
      $ranks{$node->{address}} += $some if $some;
      last if ($left -= $some) <= 0;
    }
  }
  return %ranks;
}

# usage: locked(CODE)
# Does something while no other run looks for slots.
sub locked {
  my ($code) = @_;
  open my $lock, '>>', RUN . '/slots.lock' or die 'Slots: cannot open ' . RUN . "/slots.lock: $!\n";
  flock $lock, LOCK_EX;
  return $code->();
}

# usage: hold(FILE, TEXT)
# Makes a file that is ours as long as we live. It has its lock when others see it.
sub hold {
  my ($file, $text) = @_;
  open my $handle, '>', "$file.new" or die "Slots: cannot write $file: $!\n";
  flock $handle, LOCK_EX;
  syswrite $handle, $text;
  rename "$file.new", $file;
  push @held, $handle;
  return;
}

# usage: is_held(FILE)
sub is_held {
  my ($file) = @_;
  open my $handle, '<', $file or return 0;
  return !flock $handle, LOCK_SH | LOCK_NB;
}

# usage: others(RUN)
# Gives the other runs that have slots: {name, ranks}, by address.
sub others {
  my ($own) = @_;
  opendir my $folders, RUN . '/jobs' or return;
  my @others;
  for my $folder (sort grep { !/^\./ && $_ ne $own } readdir $folders) {
    my $file = RUN . "/jobs/$folder/uses";
    next unless is_held($file);
    my ($name, @lines) = split /\n/, Nodes::read_text($file);
    push @others, {name => $name, ranks => {map { split / / } @lines}};
  }
  return @others;
}

# usage: used(OTHER...)
# Gives how many ranks each address has.
sub used {
  my %used;
  for my $other (@_) { $used{$_} += $other->{ranks}{$_} for keys %{$other->{ranks}} }
  return %used;
}

# usage: free(NP, PPN, USED, NODE...)
# Gives the nodes with free slots that a run may have, their slots without those in use; nothing where there are too few. More
# ranks than all nodes have slots for need all of them.
sub free {
  my ($np, $ppn, $used, @nodes) = @_;
  my ($all, $free, @free) = (0, 0);
  for my $node (@nodes) {
    my $takes = $ppn // $node->{slots};
    my $slots = $node->{slots} - ($used->{$node->{address}} // 0);
    $all += $takes;
    next if $slots <= 0 || defined $ppn && $slots < ($ppn < $node->{slots} ? $ppn : $node->{slots});
    $free += $ppn // $slots;
    push @free, {%$node, slots => $slots};
  }
  my $want = !defined $np || $np > $all ? $all : $np;
  return $free >= $want ? @free : ();
}

# usage: shared(RANKS, NODES, OTHER...)
# Gives the names of the nodes on which there are more ranks than slots, and of the runs that they are shared with.
sub shared {
  my ($ranks, $nodes, @others) = @_;
  my %used = used(@others);
  my @full = grep { $used{$_->{address}} && $used{$_->{address}} + ($ranks->{$_->{address}} // 0) > $_->{slots} }
    grep { $ranks->{$_->{address}} } @$nodes;
  my @with = grep { my $other = $_; grep { $other->{ranks}{$_->{address}} } @full } @others;
  return ([map { $_->{name} } @full], [map { $_->{name} } @with]);
}

# usage: claim(RUN, NAME, RANKS)
sub claim {
  my ($run, $name, $ranks) = @_;
  hold(RUN . "/jobs/$run/uses", join '', "$name\n", map { "$_ $ranks->{$_}\n" } sort keys %$ranks);
  return;
}

# usage: queue
# Gives the places that are taken, the first one first. Those whose owner has ended are removed; to be called in `locked`.
sub queue {
  opendir my $places, QUEUE or return;
  my @taken;
  for my $place (sort grep { /^\d+\./ && !/\.new\z/ } readdir $places) {
    if (is_held(QUEUE . "/$place")) { push @taken, $place }
    else { unlink QUEUE . "/$place" }
  }
  return @taken;
}

# usage: queue_up(RUN)
# Takes a place at the end; to be called in `locked`.
sub queue_up {
  my ($run) = @_;
  mkdir QUEUE;
  my @taken = queue();
  my $last = @taken ? $taken[-1] =~ s/\..*//r : 0;
  my $place = sprintf '%010d.%s', $last + 1, $run;
  hold(QUEUE . "/$place", '');
  return $place;
}

# usage: leave(PLACE)
sub leave {
  unlink QUEUE . "/$_[0]";
  return;
}

1;
