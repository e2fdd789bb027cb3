"""Faults on purpose, of workers, broker and input, and a proof that nothing differs."""
