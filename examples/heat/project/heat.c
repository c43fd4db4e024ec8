/*
 * How warm a square plate is when its upper edge is kept hot, the other edges are kept cold, and heat has spread.
 *
 * Shows: a domain cut into strips, one for each rank, and the exchange of halos: to compute the edges of its strip, a
 * rank needs a row of each neighbour. The picture is put together with MPI_Gatherv.
 *
 * usage: heat [SIZE [SWEEPS]]     writes heat.ppm where rank 0 runs
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define HOT 100.0

/* Writes a square picture: blue where it is cold, red where it is hot. */
static int write_picture(const char *name, const double *plate, int width) {
  FILE *file = fopen(name, "wb");
  if (file == NULL) return -1;
  fprintf(file, "P6 %d %d 255\n", width, width);
  for (int i = 0; i < width * width; i++) {
    double t = plate[i] / HOT;
    fputc((int)(255 * t + 0.5), file);
    fputc((int)(560 * t * (1 - t) + 0.5), file);
    fputc((int)(255 * (1 - t) + 0.5), file);
  }
  return fclose(file);
}

int main(int argc, char **argv) {
  int rank, size, status = 0;

  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  int n = argc > 1 ? atoi(argv[1]) : 201;
  int sweeps = argc > 2 ? atoi(argv[2]) : 2 * n;

  /* Each rank has n / size rows, the first n % size ranks one more; with more ranks than rows, the last ones have none. */
  int *counts = malloc((size_t)size * sizeof *counts), *starts = malloc((size_t)size * sizeof *starts);
  int width = n + 2; /* with the edges */
  for (int r = 0; r < size; r++) {
    counts[r] = (n / size + (r < n % size)) * width;
    starts[r] = r == 0 ? width : starts[r - 1] + counts[r - 1];
  }
  int rows = counts[rank] / width, first = starts[rank] / width;
  int up = rank > 0 && rows > 0 ? rank - 1 : MPI_PROC_NULL;
  int down = rank + 1 < size && counts[rank + 1] > 0 ? rank + 1 : MPI_PROC_NULL;

  /* My strip, with a row more above and below: the neighbour's next row (the halo), or the plate's edge. */
  double *strip = calloc((size_t)(rows + 2) * (size_t)width, sizeof *strip);
  for (int x = 1; rank == 0 && x <= n; x++) strip[x] = HOT;

  /* Each cell goes towards the mean of its neighbours, and beyond: that needs sweeps as many as rows, not their square.
   * Cells are coloured as on a chess board: those of one colour need those of the other alone, in any order. */
  double beyond = 2 / (1 + sin(acos(-1) / (n + 1)));
  for (int half = 0; half < 2 * sweeps; half++) {
    /* My first row goes up, and what comes from below is my lower halo; then the other way. PROC_NULL: nobody there. */
    MPI_Sendrecv(&strip[width], width, MPI_DOUBLE, up, 0, &strip[(rows + 1) * width], width, MPI_DOUBLE, down, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(&strip[rows * width], width, MPI_DOUBLE, down, 1, &strip[0], width, MPI_DOUBLE, up, 1, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    for (int y = 1; y <= rows; y++) {
      for (int x = 1 + (first + y + half) % 2; x <= n; x += 2) {
        double *cell = &strip[y * width + x];
        *cell += beyond * ((cell[-width] + cell[width] + cell[-1] + cell[1]) / 4 - *cell);
      }
    }
  }

  /* The nodes share no disk: rank 0 gathers the strips, which may differ in length, and writes. */
  double *plate = rank == 0 ? calloc((size_t)width * (size_t)width, sizeof *plate) : NULL;
  MPI_Gatherv(&strip[width], rows * width, MPI_DOUBLE, plate, counts, starts, MPI_DOUBLE, 0, MPI_COMM_WORLD);

  if (rank == 0) {
    for (int x = 1; x <= n; x++) plate[x] = HOT;
    printf("%d x %d cells, %d sweeps, %d ranks\n", n, n, sweeps, size);
    int a = (n + 1) / 2, b = (n + 2) / 2; /* the cells in the middle, one or four */
    double middle = (plate[a * width + a] + plate[a * width + b] + plate[b * width + a] + plate[b * width + b]) / 4;
    printf("in the middle %.4f degrees; %.4f are right\n", middle, HOT / 4);
    status = write_picture("heat.ppm", plate, width) != 0;
    if (status) perror("heat.ppm");
    else printf("heat.ppm is written\n");
  }

  MPI_Finalize();
  return status;
}
