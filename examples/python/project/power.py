"""Finds the largest eigenvalue of a matrix by the power method: multiply a vector by it again and again.

Shows: NumPy arrays as they are, without pickling, in mpi4py's methods with a capital letter. Each rank has some rows of
the matrix, multiplies them, and Allgatherv gives the whole product to all.

usage: power.py [SIZE]
"""

import sys

import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000

# Rows are shared as evenly as they can be; with more ranks than rows, some have none.
rows = np.array_split(np.arange(1, n + 1), comm.size)
counts = [len(part) for part in rows]

# My rows of the matrix with min(i, j) at row i, column j, whose eigenvalues are known.
matrix = np.minimum.outer(rows[comm.rank], np.arange(1, n + 1)).astype(float)
vector = np.ones(n)
product = np.empty(n)
eigenvalue, before, steps = 1.0, 0.0, 0

while abs(eigenvalue - before) > 1e-12 * eigenvalue:
    comm.Allgatherv(matrix @ vector, [product, counts])
    before, eigenvalue = eigenvalue, np.linalg.norm(product)
    vector = product / eigenvalue
    steps += 1

if comm.rank == 0:
    exact = 1 / (4 * np.sin(np.pi / (4 * n + 2)) ** 2)
    print(f"largest eigenvalue {eigenvalue:.6f}, relative error {abs(eigenvalue / exact - 1):.1e}")
    print(f"{n} x {n} matrix, {steps} steps, {comm.size} ranks")
