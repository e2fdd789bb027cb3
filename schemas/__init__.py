"""What comes in, what travels between stages, what is kept and what goes out: msgspec structs only."""
