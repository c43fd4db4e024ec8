# What a build on the master made in /project: the working directory is that.
package Built;
use strict;
use warnings;
use Nodes;
use Words;

# Kept as long as the container lives: a worker that comes later gets it all.
use constant RECORD => '/run/mpi/built';

# usage: look()
# Gives the state of each file and link, by its path. Other file systems, such as volumes, are left alone.
sub look {
  my @what = (qw(-xdev -name .docker-mpi-cp.* -prune -o), '(', qw(-type f -o -type l), ')');
  open my $list, '-|', 'find', '.', @what, '-printf', '%P\0%i %s %T@ %C@\0' or return {};
  local $/ = undef;
  return {Words::split_all(<$list> // '')};
}

# usage: note(BEFORE)
# Gives what has changed since, and what earlier builds made and is still there.
sub note {
  my ($before) = @_;
  my $now = look();
  my %built = map { $_ => 1 } grep { ($before->{$_} // '') ne $now->{$_} } keys %$now;
  $built{$_} = 1 for grep { exists $now->{$_} } Words::split_all(Nodes::bytes_of(RECORD));
  write_words(RECORD . '.new', sort keys %built);
  rename RECORD . '.new', RECORD;
  return with_folders(sort keys %built);
}

# usage: with_folders(PATH...)
sub with_folders {
  my %all;
  for (@_) {
    my @steps = split m{/};
    $all{join '/', @steps[0 .. $_]} = 1 for 0 .. $#steps;
  }
  return sort keys %all;
}

# usage: answers(PATHS, COMMAND...)
# Runs a command on so many paths at a time as it can take, and gives what it prints, split at zero bytes.
sub answers {
  my ($paths, @command) = @_;
  my @rest = map { "./$_" } @$paths;
  my @answers;
  while (my @some = splice @rest, 0, 500) {
    open my $answer, '-|', @command, @some or next;
    local $/ = undef;
    push @answers, Words::split_all(<$answer> // '');
  }
  return @answers;
}

# usage: described(PATH...)
# Gives PATH TYPE MODE SIZE MTIME LINK of each, for `mpi_files diff`.
sub described {
  my @words;
  my @answers = answers([@_], 'stat', '--printf', '%n\0%a %s %.3Y\0', '--');
  while (my ($path, $state) = splice @answers, 0, 2) {
    lstat $path;
    my $type = -l _ ? 'l' : -d _ ? 'd' : 'f';
    push @words, substr($path, 2), $type, split(/ /, $state), $type eq 'l' ? readlink $path : '';
  }
  return @words;
}

# usage: archive(PATH...)
# Gives a handle that the archive for `mpi_files put` is read from. In it, /project is the folder 0.
sub archive {
  my @paths = @_;
  my $stage = "/run/mpi/archive.$$";
  mkdir $stage, 0700;
  symlink '/project', "$stage/0";
  my @sums = map { /^(\w+)  \.\/(.*)\z/s ? "$1 " . (-s "./$2") . " 0/$2" : () } answers([grep { -f "./$_" && !-l "./$_" } @paths], 'sha256sum', '-z', '--');
  write_words("$stage/sums", @sums);
  write_words("$stage/list", (map { "0/$_" } @paths), 'sums');
  my $command = 'tar --create --format=posix --no-recursion --null --directory="$1" --files-from="$1/list"; rm -r "$1"';
  open my $archive, '-|', 'sh', '-c', $command, 'sh', $stage;
  return $archive;
}

# usage: write_words FILE WORD...
sub write_words {
  my ($name, @words) = @_;
  open my $file, '>', $name or die "mpi_cp: cannot write $name: $!\n";
  print $file map { "$_\0" } @words;
  close $file or die "mpi_cp: cannot write $name: $!\n";
  return;
}

1;
