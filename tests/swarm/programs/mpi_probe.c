/*
 * usage: mpi_probe ring BYTES | abort RANK STATUS | leave RANK STATUS | stay
 *
 * An MPI program for tests: messages between all nodes, and the ways in which a rank can end before the others.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank, size;

/* Each rank sends its pattern around the ring, and all of them add up a buffer of the same size. */
static int ring(int bytes) {
  unsigned char *out = malloc(bytes), *in = malloc(bytes);
  int count = bytes / sizeof(long);
  long *mine = malloc(bytes), *sum = malloc(bytes);
  int left = (rank + size - 1) % size, right = (rank + 1) % size;
  for (int i = 0; i < bytes; i++) out[i] = (unsigned char)(i * 31 + rank);
  MPI_Sendrecv(out, bytes, MPI_BYTE, right, 0, in, bytes, MPI_BYTE, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  for (int i = 0; i < bytes; i++)
    if (in[i] != (unsigned char)(i * 31 + left)) return 3;
  for (int i = 0; i < count; i++) mine[i] = (long)i * (rank + 1);
  MPI_Allreduce(mine, sum, count, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
  for (int i = 0; i < count; i++)
    if (sum[i] != (long)i * size * (size + 1) / 2) return 4;
  printf("rank %d of %d: %d bytes from rank %d\n", rank, size, bytes, left);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int who = argc > 2 ? atoi(argv[2]) : 0, status = argc > 3 ? atoi(argv[3]) : 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (strcmp(what, "ring") == 0) {
    int failed = ring(who);
    MPI_Finalize();
    return failed;
  }
  if (strcmp(what, "abort") == 0 && rank == who) {
    fprintf(stderr, "rank %d gives up\n", rank);
    MPI_Abort(MPI_COMM_WORLD, status);
  }
  if (strcmp(what, "leave") == 0 && rank == who) exit(status);
  if (strcmp(what, "stay") == 0 && rank == 0) {
    puts("staying");
    fflush(stdout);
  }
  pause();
  return 5;
}
