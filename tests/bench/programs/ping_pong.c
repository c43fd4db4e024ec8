/* usage: ping_pong [PEER]
 *
 * Rank 0 and rank PEER (1 if not given) send each other messages of three sizes; the others sleep until they are done. Prints for
 * each size: BYTES, the time of one way in microseconds, and millions of bytes per second. The time is that of the best of many
 * short batches: what else the machine does lengthens some of them, and shortens none. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCHES = 60, DONE = 9 };

static double batch(char *buffer, int bytes, int rounds, int rank, int peer) {
  MPI_Status status;
  double begin = MPI_Wtime();
  for (int i = 0; i < rounds; i++) {
    if (rank == 0) {
      MPI_Send(buffer, bytes, MPI_BYTE, peer, 1, MPI_COMM_WORLD);
      MPI_Recv(buffer, bytes, MPI_BYTE, peer, 1, MPI_COMM_WORLD, &status);
    } else {
      MPI_Recv(buffer, bytes, MPI_BYTE, 0, 1, MPI_COMM_WORLD, &status);
      MPI_Send(buffer, bytes, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    }
  }
  return (MPI_Wtime() - begin) / rounds / 2;
}

static void measure(int bytes, int rounds, int rank, int peer) {
  char *buffer = malloc(bytes);
  double best = 1e9;
  memset(buffer, rank, bytes);
  for (int i = 0; i < BATCHES; i++) {
    double time = batch(buffer, bytes, rounds, rank, peer);
    if (time < best) best = time;
  }
  if (rank == 0) printf("%d %.3f %.1f\n", bytes, best * 1e6, bytes / best / 1e6);
  free(buffer);
}

/* Doesn't take a core from those that are measured. */
static void sleep_until_done(void) {
  int done = 0;
  MPI_Request request;
  MPI_Irecv(NULL, 0, MPI_BYTE, 0, DONE, MPI_COMM_WORLD, &request);
  while (!done) {
    usleep(100000);
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  }
}

int main(int argc, char **argv) {
  int rank, ranks, peer = argc > 1 ? atoi(argv[1]) : 1;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (rank == 0 || rank == peer) {
    measure(1, 200, rank, peer);
    measure(65536, 20, rank, peer);
    measure(4194304, 2, rank, peer);
  } else {
    sleep_until_done();
  }
  for (int i = 1; rank == 0 && i < ranks; i++)
    if (i != peer) MPI_Send(NULL, 0, MPI_BYTE, i, DONE, MPI_COMM_WORLD);
  MPI_Finalize();
  return 0;
}
