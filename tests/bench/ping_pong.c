/* usage: ping_pong
 *
 * Two ranks send each other messages of two sizes. Prints for each size: BYTES, the time of one way in microseconds, and
 * millions of bytes per second. The time is that of the best of many short batches: what else the machine does lengthens
 * some of them, and shortens none. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 60 };

static double batch(char *buffer, int bytes, int rounds, int rank) {
  double begin = MPI_Wtime();
  for (int i = 0; i < rounds; i++) {
    if (rank == 0) {
      MPI_Send(buffer, bytes, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
      MPI_Recv(buffer, bytes, MPI_BYTE, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(buffer, bytes, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(buffer, bytes, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    }
  }
  return (MPI_Wtime() - begin) / rounds / 2;
}

static void measure(int bytes, int rounds, int rank) {
  char *buffer = malloc(bytes);
  double best = 1e9;
  memset(buffer, rank, bytes);
  for (int i = 0; i < BATCHES; i++) {
    double time = batch(buffer, bytes, rounds, rank);
    if (time < best) best = time;
  }
  if (rank == 0) printf("%d %.3f %.1f\n", bytes, best * 1e6, bytes / best / 1e6);
  free(buffer);
}

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks != 2) {
    if (rank == 0) fprintf(stderr, "ping_pong: there are %d ranks, want 2\n", ranks);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  measure(1, 200, rank);
  measure(4000000, 2, rank);
  MPI_Finalize();
  return 0;
}
