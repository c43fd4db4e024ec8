# What the programs on a node know of the cluster, from the lists that mpi_agent keeps.
package Nodes;
use strict;
use warnings;

my $run = '/run/mpi';

# usage: read_text(FILE)
# Gives its text without the last line end, or nothing.
sub read_text { return bytes_of($_[0]) =~ s/\n\z//r }

# usage: bytes_of(FILE)
# Gives all it has, or nothing.
sub bytes_of {
  my ($file) = @_;
  open my $handle, '<', $file or return '';
  local $/ = undef;
  return <$handle> // '';
}

# usage: remove_folder(FOLDER)
# Removes a folder with the files in it.
sub remove_folder {
  my ($folder) = @_;
  opendir my $entries, $folder or return;
  unlink map { "$folder/$_" } readdir $entries;
  rmdir $folder;
  return;
}

# usage: host()
# Gives the name of this node.
sub host { return read_text('/proc/sys/kernel/hostname') }

# usage: all()
# Gives every node that answers, the master first: {name, address, slots}.
sub all {
  return map {
    my ($name, $address, $slots) = split / /;
    {name => $name, address => $address, slots => $slots}
  } split /\n/, read_text("$run/nodes");
}

# usage: named(NAME)
# Gives the node of a name or an address, or nothing.
sub named {
  my ($name) = @_;
  my ($node) = grep { $_->{name} eq $name || $_->{address} eq $name } all();
  return $node;
}

# usage: names()
# Gives all names, for messages.
sub names { return join ', ', map { $_->{name} } all() }

# usage: is_here(NODE)
sub is_here { return $_[0]{address} eq read_text("$run/address") }

# usage: command(NODE, WORD...)
# Gives the words that run a command of ours on a node; on this one without ssh. The words must need no quotes.
sub command {
  my ($node, @words) = @_;
  return @words if is_here($node);
  return ('mpi_ssh', $node->{address}, @words);
}

# usage: quote(WORD...)
# Gives a line for a shell that has exactly these words.
sub quote {
  my @words = @_;
  s/'/'\\''/g for @words;
  return join ' ', map { "'$_'" } @words;
}

# usage: typed(WORD)
# Gives it as a person types it into a shell: in quotes where it has to be.
sub typed { return $_[0] =~ m{^[\w@%+=:,./-]+\z}a ? $_[0] : quote($_[0]) }

# usage: hint(TEXT)
# Gives a hint whose commands mean the engine and the cluster of the user's command line, which MPI_HINT has for `run`.
my ($docker, $cluster) = (delete $ENV{MPI_HINT} // '') =~ /^(.* mpi) run(.*)\z/s;
sub hint { return defined $docker ? $_[0] =~ s/docker mpi ((?:jobs )?\w+)/$docker $1$cluster/gr : $_[0] }

# usage: is_orphan(PARENT)
# Whether the process that started us has gone; where that was before we could ask for it, PARENT is the container's first.
sub is_orphan { return $_[0] == 1 || getppid != $_[0] }

# usage: problem(PROGRAM)
# Gives the status that a shell would give if a program can't be executed here, and why; else nothing.
sub problem {
  my ($program) = @_;
  if ($program !~ m{/}) {
    return if grep { -f "$_/$program" && -x _ } split /:/, $ENV{PATH};
    return (127, 'is not in PATH');
  }
  return (127, 'does not exist') unless -e $program;
  return (126, 'is not an executable file') unless -f _ && -x _;
  return;
}

# usage: room_hint(PATH)
# Gives the remedy where something on the master can't be written.
sub room_hint { return "docker mpi exec df -h $_[0]  # shows how full it is; docker mpi jobs rm --all makes room" }

1;
