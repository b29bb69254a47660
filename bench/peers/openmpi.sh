# shellcheck shell=bash
# OpenMPI over its tcp byte transfer layer; mpi_pair.cc is ours. See common.sh.
# shellcheck disable=SC2154  # the variables of peers.sh

openmpi_needs() { printf '%s\n' mpirun=openmpi-bin mpicxx=libopenmpi-dev "g++=g++"; }
openmpi_version() { echo "$(package_version openmpi-bin), mpi_pair, pml ob1, btl tcp,self"; }
openmpi_prepare() { compile_pair mpi_pair mpicxx -DOMPI_SKIP_MPICXX --; }
openmpi_offers() { true; }

openmpi_run() {
  local traffic=$1 bytes=$2 figure
  local -a job=("$work/mpi_pair" "$traffic" "$bytes" "$(messages_for "$traffic" "$bytes")" "$window")
  figure=$(timeout -k 2 "$timeout_s" mpirun --allow-run-as-root --bind-to none --mca pml ob1 --mca btl tcp,self \
    --mca btl_tcp_if_include lo -np 1 taskset -c "$client_cpu" "${job[@]}" : \
    -np 1 taskset -c "$server_cpu" "${job[@]}") || return
  echo "openmpi $figure"
}
