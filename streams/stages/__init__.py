"""Each stage of the topology in one partition: records in, state changed, outputs put into the outbox."""
