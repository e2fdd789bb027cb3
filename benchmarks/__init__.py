"""Measurements that need data from outside; each writes benchmarks/results/."""
