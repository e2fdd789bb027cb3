"""Models that learn one event at a time: pure code, no Kafka, no RocksDB, no clock, no environment."""
