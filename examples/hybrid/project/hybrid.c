/*
 * Counts prime numbers with one MPI rank on each node and several OpenMP threads in each rank.
 *
 * Shows: two levels. Between nodes, ranks share the numbers by their rank; within a node, threads share those of their
 * rank, in the same memory and without messages.
 *
 * usage: hybrid [LIMIT]
 */
#include <mpi.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 1000

/* Counts the primes of one block of numbers. */
static long long primes_in(long long block, long long limit) {
  long long primes = 0;
  for (long long n = block * BLOCK; n < (block + 1) * BLOCK && n < limit; n++) {
    int prime = n >= 2;
    for (long long d = 2; prime && d * d <= n; d++) prime = n % d != 0;
    primes += prime;
  }
  return primes;
}

int main(int argc, char **argv) {
  int rank, size, provided, length;
  char node[MPI_MAX_PROCESSOR_NAME];

  /* FUNNELED: there are threads, and only the first one calls MPI. */
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Get_processor_name(node, &length);
  if (provided < MPI_THREAD_FUNNELED) MPI_Abort(MPI_COMM_WORLD, 1);

  long long limit = argc > 1 ? atoll(argv[1]) : 5000000;
  double begin = MPI_Wtime();
  int threads = 1;
  long long primes = 0;

  /* Ranks deal the blocks out among them; of a rank's blocks, each thread takes the next one when it is free. */
#pragma omp parallel
  {
#pragma omp single
    threads = omp_get_num_threads();
#pragma omp for schedule(dynamic) reduction(+ : primes)
    for (long long block = rank; block < (limit + BLOCK - 1) / BLOCK; block += size) primes += primes_in(block, limit);
  }
  printf("rank %d on %s: %d threads found %lld primes\n", rank, node, threads, primes);

  long long mine[2] = {primes, threads}, all[2];
  MPI_Reduce(mine, all, 2, MPI_LONG_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    printf("%lld primes below %lld, by %d ranks with %lld threads, in %.2f s\n", all[0], limit, size, all[1],
           MPI_Wtime() - begin);
  }

  MPI_Finalize();
  return 0;
}
