# The jobs that this master keeps: a folder for each, with
#
#   lock      held by the keeper, as long as the job lasts
#   pid       of the keeper
#   facts     what is known of it, `KEY VALUE` in a line; the last of a key counts, of `started` the first
#   program   its words, each ended by a zero byte
#   words     what mpi_run is asked, in the form that it reads
#   input     its standard input, if it has one
#   log       what it printed: records, see Loop.pm
package Jobs;
use strict;
use warnings;
use Nodes;
use Slots;

use constant STORE => '/var/lib/mpi/jobs';

# usage: folder(ID)
sub folder { return STORE . "/$_[0]" }

# usage: ids()
# Gives all jobs; one whose input is still coming begins with a dot and is none yet.
sub ids {
  opendir my $folders, STORE or return;
  return grep { /^[0-9a-f]{8}\z/ } readdir $folders;
}

# usage: note(ID, KEY, VALUE)
sub note {
  my ($id, $key, $value) = @_;
  open my $file, '>>', folder($id) . '/facts' or return;
  syswrite $file, "$key $value\n";
  return;
}

# usage: facts(ID)
# Gives a hash.
sub facts {
  my ($id) = @_;
  my %facts;
  for (split /\n/, Nodes::read_text(folder($id) . '/facts')) {
    my ($key, $value) = split / /, $_, 2;
    $facts{$key} = $value unless $key eq 'started' && defined $facts{started};
  }
  return %facts;
}

# usage: is_alive(ID)
# Whether somebody keeps it. Who asks first, and then reads all there is, misses nothing.
sub is_alive { return Slots::is_held(folder($_[0]) . '/lock') }

# usage: pid(ID)
# Gives the keeper's process, or nothing.
sub pid {
  my ($id) = @_;
  my ($pid) = Nodes::read_text(folder($id) . '/pid') =~ /^(\d+)$/;
  return is_alive($id) ? $pid : undef;
}

# usage: state(ALIVE, FACTS)
# Gives queued, running, cancelled, completed, failed, or lost: nobody keeps it, and nobody has said how it ended.
sub state {
  my ($alive, %facts) = @_;
  if (defined $facts{ended}) {
    return 'cancelled' if $facts{cancelled};
    return $facts{status} eq '0' ? 'completed' : 'failed';
  }
  return $alive ? $facts{stage} // 'running' : 'lost';
}

# usage: describe(ID)
# Gives what there is to know of a job, as pairs; nothing if it has gone.
sub describe {
  my ($id) = @_;
  my $alive = is_alive($id);
  my %facts = facts($id) or return;
  my $log = -s folder($id) . '/log' || 0;
  my $program = Nodes::read_text(folder($id) . '/program');
  return (id => $id, state => state($alive, %facts), log => $log, program => $program, %facts);
}

# usage: remove(ID)
# The folder loses its name first: half a job is none.
sub remove {
  my ($id) = @_;
  my $gone = STORE . "/.gone-$id";
  rename folder($id), $gone;
  Nodes::remove_folder($gone);
  return;
}

1;
