/*
 * Measures the area of the Mandelbrot set, column by column. Those at its left end are done in no time.
 *
 * Shows: a task farm. Rank 0, the manager, hands out one column at a time; who is done with it gets the next, so that all
 * workers are busy to the end, however uneven the work is and however fast they are.
 *
 * usage: farm [COLUMNS]
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASK, STOP };                               /* what a message to a worker says, by its tag */
struct result { long long task, inside, cost; };   /* what a worker sends back; task -1: "I am new here" */

#define MAX_STEPS 5000

/* Does one column: counts the points c for which z = z*z + c stays small, and the steps that it took to find out. */
static struct result work(int column, int columns) {
  struct result result = {column, 0, 0};
  double x = -2 + 2.5 * (column + 0.5) / columns;
  for (int row = 0; row < columns; row++) {
    double y = -1.25 + 2.5 * (row + 0.5) / columns, re = 0, im = 0;
    int step = 0;
    for (; step < MAX_STEPS && re * re + im * im <= 4; step++) {
      double next = re * re - im * im + x;
      im = 2 * re * im + y;
      re = next;
    }
    result.inside += step == MAX_STEPS;
    result.cost += step;
  }
  return result;
}

static void worker(int columns) {
  struct result result = {-1, 0, 0};
  for (;;) {
    int column;
    MPI_Status status;
    MPI_Send(&result, 3, MPI_LONG_LONG, 0, 0, MPI_COMM_WORLD);
    MPI_Recv(&column, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == STOP) return;
    result = work(column, columns);
  }
}

/* Hands out all columns. Gives the results, and for each rank how many columns it did (done) and what they cost (load). */
static void manager(int columns, int size, struct result *results, int *done, long long *load) {
  int next = 0, busy = size - 1;
  while (busy > 0) {
    struct result result;
    MPI_Status status;
    MPI_Recv(&result, 3, MPI_LONG_LONG, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status);
    int who = status.MPI_SOURCE;
    if (result.task >= 0) {
      results[result.task] = result;
      done[who]++;
      load[who] += result.cost;
    }
    MPI_Send(&next, 1, MPI_INT, who, next < columns ? TASK : STOP, MPI_COMM_WORLD);
    if (next < columns) next++;
    else busy--;
  }
  for (; next < columns; next++) { /* I am alone */
    results[next] = work(next, columns);
    done[0]++;
    load[0] += results[next].cost;
  }
}

static void report(int columns, int size, const struct result *results, const int *done, const long long *load) {
  int first = size > 1, workers = size - first;
  long long inside = 0, cost = 0, most = 0, most_static = 0;
  for (int column = 0; column < columns; column++) {
    inside += results[column].inside;
    cost += results[column].cost;
  }
  for (int w = 0; w < workers; w++) { /* what it would be if each worker had as many columns, one after the other */
    long long block = 0;
    for (int column = columns * w / workers; column < columns * (w + 1) / workers; column++) block += results[column].cost;
    if (block > most_static) most_static = block;
  }
  for (int rank = first; rank < size; rank++) {
    printf("rank %d did %d columns, %.1f %% of the work\n", rank, done[rank], 100.0 * (double)load[rank] / (double)cost);
    if (load[rank] > most) most = load[rank];
  }
  printf("largest share %.1f %%, in equal blocks of columns %.1f %%\n", 100.0 * (double)most / (double)cost,
         100.0 * (double)most_static / (double)cost);
  printf("%d columns, %lld points inside: area %.5f\n", columns, inside, 6.25 * (double)inside / columns / columns);
}

int main(int argc, char **argv) {
  int rank, size, columns = argc > 1 ? atoi(argv[1]) : 500;

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank > 0) worker(columns);
  else {
    struct result *results = calloc((size_t)columns, sizeof *results);
    int *done = calloc((size_t)size, sizeof *done);
    long long *load = calloc((size_t)size, sizeof *load);
    manager(columns, size, results, done, load);
    report(columns, size, results, done, load);
    free(results), free(done), free(load);
  }
  MPI_Finalize();
  return 0;
}
