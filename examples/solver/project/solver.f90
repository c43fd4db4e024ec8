! Solves a system of linear equations, A x = b, by Cholesky's method. The matrix, symmetric, is spread over all ranks.
!
! Shows: a library that does the messages. ScaLAPACK wants a grid of ranks and each matrix dealt out over it in blocks, as
! cards are to players, by rows and by columns; then one call solves the system as LAPACK would on one machine.
!
! usage: solver [SIZE]
program solver
  implicit none
  integer, parameter :: dp = kind(1d0), block = 32, desc_length = 9
  integer :: rank, ranks, context, grid_rows, grid_columns, my_row, my_column
  integer :: n, rows, columns, i, j, info, began, ended, rate
  integer, dimension(desc_length) :: desc_a, desc_b
  real(dp), allocatable :: a(:, :), x(:, :), residual(:, :)
  real(dp) :: error, work(1)
  character(len=12) :: word
  integer, external :: numroc, indxl2g

  n = 1000
  if (command_argument_count() > 0) then
    call get_command_argument(1, word)
    read (word, *) n
  end if

  ! The grid is as square as the number of ranks allows: 6 ranks are 2 x 3, 7 are 1 x 7.
  call blacs_pinfo(rank, ranks)
  grid_rows = int(sqrt(real(ranks)))
  do while (mod(ranks, grid_rows) /= 0)
    grid_rows = grid_rows - 1
  end do
  grid_columns = ranks/grid_rows
  call blacs_get(-1, 0, context)
  call blacs_gridinit(context, 'Row', grid_rows, grid_columns)
  call blacs_gridinfo(context, grid_rows, grid_columns, my_row, my_column)

  ! How much of the matrix is mine; nothing, perhaps, but an array has a row at least.
  rows = numroc(n, block, my_row, 0, grid_rows)
  columns = numroc(n, block, my_column, 0, grid_columns)
  allocate (a(max(rows, 1), max(columns, 1)))
  allocate (x(max(rows, 1), 1), residual(max(rows, 1), 1))
  call descinit(desc_a, n, n, block, block, 0, 0, context, max(rows, 1), info)
  call descinit(desc_b, n, 1, block, block, 0, 0, context, max(rows, 1), info)

  call fill(a)
  call right_side(x)
  call system_clock(began, rate)
  call pdposv('L', n, 1, a, 1, 1, desc_a, x, 1, 1, desc_b, info) ! b goes in, x comes out
  call system_clock(ended)

  ! The solution is right if b - A x is nearly 0. The solver has overwritten A.
  call fill(a)
  call right_side(residual)
  call pdgemm('N', 'N', n, 1, n, -1d0, a, 1, 1, desc_a, x, 1, 1, desc_b, 1d0, residual, 1, 1, desc_b)
  error = largest(residual)

  if (rank == 0) then
    if (info /= 0) print '(a, i0)', 'pdposv failed with info = ', info
    print '(a, i0, a, i0, a, i0, a)', 'Solved ', n, ' equations on a grid of ', grid_rows, ' x ', grid_columns, ' ranks'
    print '(a, es9.2)', 'largest residual |b - A x|:', error
    print '(a, f0.2, a)', 'time: ', real(ended - began)/rate, ' s'
  end if
  call blacs_gridexit(context)
  call blacs_exit(0)

contains

  ! Element (i, j) of the whole matrix: whoever has it can compute it. The diagonal is large, so that there is a solution.
  real(dp) function element(i, j)
    integer, intent(in) :: i, j
    element = sin(real(i, dp)*j) + merge(real(n, dp), 0d0, i == j)
  end function

  subroutine fill(a)
    real(dp), intent(out) :: a(:, :)
    do j = 1, columns
      do i = 1, rows
        a(i, j) = element(indxl2g(i, block, my_row, 0, grid_rows), indxl2g(j, block, my_column, 0, grid_columns))
      end do
    end do
  end subroutine

  ! b = 1, 2, 3, ...: it is in the first column of the grid.
  subroutine right_side(b)
    real(dp), intent(out) :: b(:, :)
    do i = 1, rows
      b(i, 1) = indxl2g(i, block, my_row, 0, grid_rows)
    end do
  end subroutine

  ! The largest element of a vector, on all ranks.
  real(dp) function largest(v)
    real(dp), intent(in) :: v(:, :)
    real(dp), external :: pdlange
    largest = pdlange('M', n, 1, v, 1, 1, desc_b, work)
  end function
end program
