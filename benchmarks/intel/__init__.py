"""What sharing costs, for docs/benchmarks/intel.md."""
