# Who logs in to the master sees what the cluster is.
if [ -t 1 ] && [ -r /run/mpi/nodes ]; then
  awk -v cluster="$MPI_CLUSTER" 'function count(n, what) { return n " " what (n == 1 ? "" : "s") }
  { slots += $3 } END {
    printf "Cluster %s: %s, %s. ", cluster, count(NR, "node"), count(slots, "slot")
    print "mpirun ./program runs on all of them; get_hosts lists them."
  }' /run/mpi/nodes
fi
