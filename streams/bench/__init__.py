"""Benchmarks of the whole: real Kafka, a real worker, a producer beside them, results in a file."""
