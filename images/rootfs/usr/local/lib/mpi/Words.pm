# Words as programs of ours send them to each other: their length in bytes and a line end, then the words, each ended by a zero
# byte. What comes after them in the same stream is left unread.
package Words;
use strict;
use warnings;

# usage: packed(WORD...)
# Gives the bytes that stand for them.
sub packed {
  my $bytes = join '', map { "$_\0" } @_;
  return length($bytes) . "\n$bytes";
}

# usage: from(HANDLE)
# Gives the words that come from there, or nothing if they don't come whole.
sub from {
  my ($handle) = @_;
  my ($length, $bytes) = ('', '');
  while (sysread $handle, my $byte, 1) { # byte by byte, since what follows is not ours
    last if $byte eq "\n";
    $length .= $byte;
  }
  return unless $length =~ /^\d{1,9}$/;
  while (length $bytes < $length) {
    sysread $handle, $bytes, $length - length $bytes, length $bytes or return;
  }
  return split_all($bytes);
}

# usage: split_all(BYTES)
# Gives the words in a text in which each is ended by a zero byte.
sub split_all {
  my @words = split /\0/, $_[0], -1;
  pop @words;
  return @words;
}

1;
