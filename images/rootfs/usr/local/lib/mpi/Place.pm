# Where the files of a copy go on a node, as `cp -r` has it, and how they get there: never half.
package Place;
use strict;
use warnings;
use Cwd qw(abs_path);
use Nodes;

use constant EXDEV => 18;

my @stages; # folders of ours beside the places

# usage: parent(PATH)
sub parent {
  my ($path) = @_;
  $path =~ s{/+\z}{};
  return $path =~ m{^(.*?)/+[^/]+\z}s ? ($1 eq '' ? '/' : $1) : '.';
}

# usage: target(DST, IS, SOURCE)
# A source without a name is the contents of a folder, and goes into what a link to one points to.
sub target {
  my ($dst, $is, $source) = @_;
  $dst =~ s{(?<=.)/+\z}{}s;
  return $dst if $is ne 'dir';
  return abs_path($dst) // $dst if $source->{name} eq '';
  return $dst =~ m{/\z} ? "$dst$source->{name}" : "$dst/$source->{name}";
}

# usage: refusal(MUST_BE_DIRECTORY, DST, IS, SOURCE...)
# Gives why the sources can't go there, or nothing.
sub refusal {
  my ($must, $dst, $is, @sources) = @_;
  return if $is eq 'dir';
  my $folder = grep { $_->{type} eq 'd' } @sources;
  return "\"$dst\" is not a directory" if $is eq 'file' && ($must || $folder);
  return if $is eq 'file';
  return "there is no directory \"$dst\"" if $must && !$folder || @sources > 1;
  my $parent = parent($dst);
  return "there is no directory \"$parent\"" unless -d $parent;
  return;
}

# usage: stage(FOLDER)
# Makes a folder in it that nobody else has, on the same file system; gives its path.
sub stage {
  my ($folder) = @_;
  my $stage = sprintf '%s/.docker-mpi-cp.%s.%d.%d', $folder, Nodes::host(), $$, rand 1e9;
  mkdir $stage, 0700 or return;
  push @stages, [$stage, $$];
  return $stage;
}

# usage: clean
# Removes what this process left beside the places.
sub clean {
  my $status = $?;
  for (grep { $_->[1] == $$ } @stages) {
    system 'chmod', '-R', 'u+rwX', '--', $_->[0] if system 'rm', '-rf', '--', $_->[0];
    system 'rm', '-rf', '--', $_->[0] if -e $_->[0];
  }
  $? = $status;
  return;
}

# usage: is_folder(PATH)
sub is_folder { return lstat $_[0] && -d _ }

# usage: names_in(FOLDER)
sub names_in {
  my ($folder) = @_;
  opendir my $entries, $folder or return;
  return sort grep { !/^\.\.?\z/ } readdir $entries;
}

# usage: obstacle(FROM, TO)
# Gives what stands in the way of a source, or nothing. A folder and a folder become one.
sub obstacle {
  my ($from, $to) = @_;
  my $there = lstat $to or return;
  my $over = -d _;
  my $folder = is_folder($from);
  return "\"$to\" is a directory" if $over && !$folder;
  return "\"$to\" is not a directory" if !$over && $folder;
  return unless $folder;
  for (names_in($from)) {
    my $why = obstacle("$from/$_", "$to/$_");
    return $why if defined $why;
  }
  return;
}

# usage: into(FROM, TO)
# Renames it there; gives whether that went well. Folders that are there stay as they are.
sub into {
  my ($from, $to) = @_;
  return move($from, $to) unless is_folder($from) && is_folder($to);
  for (names_in($from)) { into("$from/$_", "$to/$_") or return 0 }
  return 1;
}

# usage: move(FROM, TO)
# A folder that may not be written to can't be moved to another one as it is. On another file system, a copy is renamed.
sub move {
  my ($from, $to) = @_;
  my ($mode, $mtime) = (lstat $from)[2, 9];
  my $locked = -d _ && !($mode & 0200);
  chmod $mode & 07777 | 0700, $from if $locked;
  my $moved = rename($from, $to) || $! == EXDEV && copy($from, $to);
  chmod $mode & 07777, $to if $locked && $moved;
  return $moved;
}

# usage: copy(FROM, TO)
sub copy {
  my ($from, $to) = @_;
  my $stage = stage(parent($to)) or return 0;
  return system('cp', '-a', '--', $from, "$stage/0") == 0 && rename "$stage/0", $to;
}

1;
