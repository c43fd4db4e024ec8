/*
 * Estimates pi: of points in a unit square, pi/4 lie in the quarter circle.
 *
 * Shows: work shared by rank, and MPI_Reduce, which adds up what all ranks have found.
 *
 * usage: pi [POINTS [SEED]]
 */
#include <math.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Gives the n-th random number of a seed, in [0, 1): the generator SplitMix64, which can begin anywhere. */
static double random_number(uint64_t seed, uint64_t n) {
  uint64_t z = seed * 0xd1342543de82ef95u + (n + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0; /* 2^53 */
}

int main(int argc, char **argv) {
  int rank, size;

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  long long points = argc > 1 ? atoll(argv[1]) : 100000000;
  uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  double begin = MPI_Wtime();

  /* Rank r takes points r, r + size, r + 2 size, ... A point is the same whoever takes it, and so is the result. */
  long long inside = 0, total = 0;
  for (long long point = rank; point < points; point += size) {
    double x = random_number(seed, 2 * (uint64_t)point);
    double y = random_number(seed, 2 * (uint64_t)point + 1);
    if (x * x + y * y < 1) inside++;
  }

  /* Whole numbers add up to the same sum in any order. */
  MPI_Reduce(&inside, &total, 1, MPI_LONG_LONG, MPI_SUM, 0, MPI_COMM_WORLD);

  if (rank == 0) {
    double pi = 4.0 * (double)total / (double)points;
    printf("pi is about %.8f, off by %.1e\n", pi, fabs(pi - acos(-1)));
    printf("%lld of %lld points inside, %d ranks, %.2f s\n", total, points, size, MPI_Wtime() - begin);
  }

  MPI_Finalize();
  return 0;
}
