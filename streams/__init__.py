"""The storage, the stream and everything with side effects: all input and output lives here."""
