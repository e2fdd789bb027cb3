"""Proving and mending the state: recounting it from the recorded log, other epochs, other settings."""
